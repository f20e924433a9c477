"""Looking up a name within a deadline. The operating system's own call knows none.

That call cannot be stopped either, so it runs in a thread that may outlive who waits for it. Their
number is bounded: all who ask for the same name wait for one look-up, and a second one begins only
if the first has taken longer than a healthy resolver ever does.
"""

import socket
import threading
import time

MOST_UNDER_WAY = 4  # threads; there are two or three names, those of the settings
HEALTHY_SECONDS = 10.0


class _LookUp:
    def __init__(self, host: str, port: int) -> None:
        self.began = time.monotonic()
        self.found: list[str] = []
        self.error: BaseException | None = None
        self._done = threading.Event()
        self._host, self._port = host, port
        # A daemon: one that hangs must not keep the process from ending.
        threading.Thread(target=self._run, name=f"look up {host}", daemon=True).start()

    def _run(self) -> None:
        try:
            self.found = _look_up(self._host, self._port)
        except BaseException as error:  # raised in whoever waits
            self.error = error
        finally:
            with _lock:
                _under_way.remove((self._host, self._port, self))
            self._done.set()

    def wait(self, seconds: float) -> list[str]:
        if not self._done.wait(seconds):
            raise TimeoutError("The name was not looked up in time.")
        if self.error is not None:
            raise self.error
        return self.found


_lock = threading.Lock()
_under_way: list[tuple[str, int, _LookUp]] = []


def addresses(host: str, port: int, *, seconds: float) -> list[str]:
    """The addresses of `host`. Raise OSError (a TimeoutError, if it takes longer)."""
    if _is_address(host):
        return [host]
    with _lock:
        same = [one for name, number, one in _under_way if (name, number) == (host, port)]
        wait_for = same[-1] if same else None
        late = wait_for is None or time.monotonic() - wait_for.began > HEALTHY_SECONDS
        if late and len(_under_way) < MOST_UNDER_WAY:
            wait_for = _LookUp(host, port)
            _under_way.append((host, port, wait_for))
    if wait_for is None:
        raise TimeoutError("Too many names are being looked up.")
    return wait_for.wait(seconds)


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return True
    return False
