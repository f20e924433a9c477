"""What a spreadsheet makes of our CSV: text, and never a formula."""

import re

BYTE_ORDER_MARK = "\ufeff"  # Excel takes the file for UTF-8 only if it begins with this

# A cell that begins so is taken for a formula, and a formula can send data elsewhere.
_FORMULA = re.compile("[\\s\\x00-\\x1f\u200b\ufeff]*[=+\\-@＝＋－＠]|[\\t\\r\\n]")


def escape_formula(cell: str) -> str:
    """Read by a spreadsheet as this very text, never as a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell
