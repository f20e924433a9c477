"""What somebody typed, as the words to look for. Both databases' indexes split texts alike."""

import unicodedata

LONGEST = 500  # characters of a search
MOST_WORDS = 12
LONGEST_WORD = 60  # characters; of longer words the rest is neither kept nor compared

# Of a private range, so that no word that is typed can be one. See `facet`.
_MARK = "\ue000"


class NothingToSearch(ValueError):
    """`str()` is a sentence that says what to type instead."""


def read(typed: str) -> list[str]:
    """The words of a search, each once, in lower case. Raise NothingToSearch."""
    spaced = "".join(
        character if _is_of_a_word(character) else " "
        for character in unicodedata.normalize("NFC", typed)
    )
    found = list(dict.fromkeys(word[:LONGEST_WORD].lower() for word in spaced.split()))
    if not found:
        raise NothingToSearch("There is no word in this to search for. Type letters or digits.")
    if len(found) > MOST_WORDS:
        raise NothingToSearch(f"Search for at most {MOST_WORDS} words at once.")
    return found


def facet(kind: str, value: int) -> str:
    """A word that the indexes keep for a run beside its own: whose it is, of which routine."""
    return f"{_MARK}{kind}{value}"


def _is_of_a_word(character: str) -> bool:
    """As the tokenizer unicode61 of SQLite has it, as far as characters go that both know."""
    return unicodedata.category(character)[0] in "LN" and (
        unicodedata.ucd_3_2_0.category(character) != "Cn"
    )
