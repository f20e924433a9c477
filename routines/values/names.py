"""Names of people: one spelling of each, and what it looks like to a reader.

Two names with the same look are the same name in another case or another form of Unicode (wide
letters, ligatures), or one that is read as the other, on purpose or not: `anna` with a Cyrillic a.
Letters of other scripts that are drawn like a Latin one count as that one. Within the Latin script
nothing is folded but case: `kai` and `kal`, `ana` and `aña` are different people.
"""

import hashlib
import re
import unicodedata

# As Unicode's table of confusables (UTS 39) has them, those that letters of names can be.
_DRAWN_LIKE = {
    # Cyrillic
    **dict(zip("авекмнорстухѕіјԁԛԝһҽӏьбгпцѵүғқ", "abekmhopctyxsijdqwhelb6rnuvyfk", strict=True)),
    # Greek
    **dict(zip("αβγεζηικνορτυχωϲϳ", "abyeznikvoptuxwcj", strict=True)),
    # Armenian
    **dict(zip("օսհոցզյւգ", "ouhngqjlq", strict=True)),
    # Letters of Latin and phonetic alphabets that are drawn like others of it
    **dict(zip("ıɑɡɩʟɴʀʏᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢꜱʙɢʜɪ", "iagilnryacdejkmoptuvwzsbghi", strict=True)),
    **dict(zip("ѡꜰᴩƅǀ", "wfpbl", strict=True)),
}
# Greek capital letters that are drawn like another Latin letter than their small ones: so they are
# taken in a name that has Latin letters, too.
_CAPITALS_DRAWN_LIKE = str.maketrans("ΗΜΝΥ", "HMNY")
_LATIN = re.compile("[A-Za-z]")
# What takes no room, or leaves nothing but room: joiners, fillers, variation selectors, and what
# directs or breaks lines.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_BLANK = "\u2800"  # of Braille
# Digits of other scripts are brought to ASCII's by their value.


def normalise(name: str) -> str:
    """As it is stored: one form of Unicode (NFKC), nothing around it."""
    return unicodedata.normalize("NFKC", name).strip()


def key(name: str) -> str:
    """The same for all spellings that are one name.

    Upper case first, as PostgreSQL compares: to it a dotless i is an I.
    """
    return normalise(normalise(name).upper().casefold())


def look(name: str) -> str:
    """The same for all names that a reader takes for one another. Of fixed length, for a column."""
    name = _UNSEEN.sub("", normalise(name)).replace(_BLANK, " ")
    if _LATIN.search(name):
        name = name.translate(_CAPITALS_DRAWN_LIKE)
    lower = unicodedata.normalize("NFD", key(name))
    drawn = "".join(_DRAWN_LIKE.get(letter, _digit(letter)) for letter in lower)
    whole = unicodedata.normalize("NFC", drawn)
    return hashlib.sha256(" ".join(whole.split()).encode()).hexdigest()


def _digit(letter: str) -> str:
    value = unicodedata.decimal(letter, None)
    return letter if value is None else str(value)
