"""A connection that must be encrypted is none at all to a server that speaks no TLS."""

import os
import socket
import threading
from collections.abc import Iterator

import psycopg
import pytest
from django.db.backends.postgresql.base import DatabaseWrapper

from dashboard import database_url
from dashboard.settings import BASE_DIR


@pytest.fixture
def server_without_tls() -> Iterator[str]:
    """The real one of these tests, if it is such a one; else one that says no to TLS as it does."""
    real = os.environ.get("TEST_DATABASE_URL", "")
    if real:
        with psycopg.connect(f"{real.rpartition('/')[0]}/postgres") as connection:
            if connection.execute("SHOW ssl").fetchone() == ("off",):
                yield real.partition("?")[0]
                return
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(8)  # SSLRequest
                    connection.sendall(b"N")
                    connection.recv(1)

        threading.Thread(target=refuse, daemon=True).start()
        yield f"postgresql://user@127.0.0.1:{listener.getsockname()[1]}/name"
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "query",
    ["sslmode=require", "sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt"],
)
def test_there_is_no_connection_in_clear_where_tls_is_asked_for(
    server_without_tls: str, query: str
):
    settings = database_url.parse(f"{server_without_tls}?{query}", BASE_DIR)
    settings |= {"TIME_ZONE": None, "CONN_MAX_AGE": 0}
    parameters = DatabaseWrapper(settings, "default").get_connection_params()
    parameters |= {"context": None}
    with pytest.raises(psycopg.OperationalError, match=r"does not support SSL|root certificate"):
        psycopg.connect(**parameters)
