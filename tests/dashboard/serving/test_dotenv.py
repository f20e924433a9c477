"""`.env` is read as people write it; what cannot be read is told by its line, never repeated."""

from pathlib import Path

import pytest

from dashboard import dotenv

READ = {
    "plain": ("A=b", "b"),
    "a byte-order mark": ("\ufeffA=b", "b"),
    "line ends of Windows": ("# x\r\nA=b\r\n", "b"),
    "line ends of old Macs": ("# x\rA=b\r", "b"),
    "blanks around =": ("A = b", "b"),
    "tabs": ("\tA\t=\tb\t", "b"),
    "export": ("export A=b", "b"),
    "a dollar": ("A=$ecret", "$ecret"),
    "a dollar in quotes": ('A="$ecret"', "$ecret"),
    "a dollar and a bracket": ("A=${X}", "${X}"),
    "equals signs": ("A=b==", "b=="),
    "a backslash": (r"A=b\n\c", r"b\n\c"),
    "a hash": ("A=b#c", "b#c"),
    "a comment behind it": ("A=b # c", "b"),
    "a comment behind quotes": ("A='b # c' # d", "b # c"),
    "single quotes": ("A='b \"c\\'", 'b "c\\'),
    "double quotes": (r'A="b \"c\" \\d"', r'b "c" \d'),
    "blanks in quotes": ("A=' b '", " b "),
    "a quote inside": ("A=it's", "it's"),
    "empty": ("A=", ""),
    "a comment alone": ("A= # nothing", ""),
    "other letters": ("A=bücher", "bücher"),
    "no line end": ("\n\nA=b", "b"),
}


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / ".env"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(("content", "value"), READ.values(), ids=READ)
def test_a_line_is_read_as_it_is_meant(tmp_path: Path, content: str, value: str):
    assert dotenv.read(written(tmp_path, content)) == {"A": value}


BAD = {
    "no equals sign": "hidden-word",
    "a colon": "SECRET_KEY: hidden-word",
    "a name with a dash": "SECRET-KEY=hidden-word",
    "a name with a blank": "SECRET KEY=hidden-word",
    "set": "set SECRET_KEY=hidden-word",
    "an open quote": "SECRET_KEY='hidden-word",
    "another open quote": 'SECRET_KEY="hidden-word',
    "something behind a quote": "SECRET_KEY='hidden'-word",
    "a mark in front of the name": "\u200bSECRET_KEY=hidden-word",
    "NUL": "SECRET_KEY=hidden-word\x00",
    "a sign that ends lines elsewhere": "SECRET_KEY=hidden\u2028A=word",
    "a control character": "SECRET_KEY='hidden\x1bword'",
    "a mark that nobody sees": "SECRET_KEY=hidden-word\u200b",
    "a byte-order mark in it": "SECRET_KEY=hidden\ufeffword",
    "a second time": "A=hidden-word",
}


@pytest.mark.parametrize("line", BAD.values(), ids=BAD)
def test_a_bad_line_is_told_by_its_number_and_not_repeated(tmp_path: Path, line: str):
    with pytest.raises(dotenv.Unreadable, match="line 3") as told:
        dotenv.read(written(tmp_path, f"A=b\n\n{line}\n"))
    assert "hidden" not in str(told.value)


@pytest.mark.parametrize("content", [b"\xff\xfeA\x00=\x00", b"A=\xe4"], ids=["UTF-16", "Latin-1"])
def test_another_encoding_is_told(tmp_path: Path, content: bytes):
    with pytest.raises(dotenv.Unreadable, match="UTF-8"):
        dotenv.read(written(tmp_path, content))


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(dotenv.Unreadable, match="cannot be read"):
            dotenv.read(path)
