"""What knows no table: the token as a value and its encryption, redaction, texts, reasons, links.

Each module owns one kind of value and is imported by its name.
"""
