"""What a spreadsheet makes of our CSV: text, and never a formula."""

import re

from routines.values.pasted_text import INVISIBLE

BYTE_ORDER_MARK = "\ufeff"  # Excel takes the file for UTF-8 only if it begins with this

# A cell that begins so is taken for a formula, and a formula can send data elsewhere: also behind
# what nobody sees, and with the signs of Chinese and Japanese fonts.
_FORMULA = re.compile(
    rf"(?:[\s\x00-\x1f\x7f-\x9f]|{INVISIBLE.pattern})*[=+\-@＝＋－＠﹦﹢﹣﹫]|[\t\r\n]"
)


def escape_formula(cell: str) -> str:
    """Read by a spreadsheet as this very text, never as a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell
