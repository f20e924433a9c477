"""The practice API: plays the fire endpoint on loopback, following docs/fire-api.md to the letter.

The demo and the tests use it in place of the real endpoint, on a real socket. It refuses whatever
the real one is documented to refuse. `manage.py practice_api --help` lists its special routines.
"""

from routines.practice_api.rules import SPECIAL_ROUTINES, PracticeApi, Session
from routines.practice_api.server import PracticeServer

__all__ = ["SPECIAL_ROUTINES", "PracticeApi", "PracticeServer", "Session"]
