"""Searching runs by the words of their text, reason, outcome note and error message."""

import re

from django.db.models import Q

LONGEST = 500

_WORD = re.compile(r"[^\W_]+")


def matching(typed: str) -> Q:
    found = Q()
    words = _WORD.findall(typed)
    for word in words:
        found &= (
            Q(text__icontains=word)
            | Q(why__icontains=word)
            | Q(outcome_note__icontains=word)
            | Q(error_message__icontains=word)
        )
    return found if words else Q(pk__in=[])
