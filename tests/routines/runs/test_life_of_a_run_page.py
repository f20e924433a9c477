"""docs/life-of-a-run.md shows the table of values/reasons.py: here the two are held together."""

from pathlib import Path

from routines.values.reasons import MEANINGS

PAGE = Path("docs/life-of-a-run.md")


def table() -> str:
    rows = [
        "| state | reason | what the person reads | who acts | again? |",
        "| --- | --- | --- | --- | --- |",
    ]
    for reason, meaning in MEANINGS.items():
        sentences = f"{meaning.cause} {meaning.remedy}"
        cells = [
            meaning.state.label,
            f"`{reason.value}`",
            sentences,
            meaning.who_acts.label,
            meaning.again.label,
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def test_the_page_shows_the_table_as_it_stands_in_the_code():
    assert table() in PAGE.read_text(), f"{PAGE} should hold:\n{table()}"
