"""Web sessions in the database, as Django keeps them, looked up by one prepared query."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import CharField, DateTimeField, QuerySet
from django.utils import timezone

from routines.prepared import Given, prepared


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        found = _alive(key=self.session_key, now=timezone.now())
        if found:
            return found[0]
        self._session_key = None
        return None


@prepared(key=CharField(), now=DateTimeField())
def _alive(key: Given, now: Given) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key, expire_date__gt=now)
