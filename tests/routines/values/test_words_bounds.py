"""Splitting a text into words takes linear time, whatever the text."""

from routines.values import words


def test_a_pile_of_marks_on_one_letter_is_cut():
    """Sorting all of them, as normalising does, would hold a worker for many seconds."""
    assert len(words.kept("a" + "\u0300\u0316" * 32_000)) < 100


def test_marks_as_writing_has_them_stay():
    written = "क्षि Việt קָ֑רָא"
    assert words.sought(written) == [[word] for word in words.kept(written).split()]
