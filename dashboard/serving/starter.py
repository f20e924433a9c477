"""The web server and the worker under one command: they start together and they end together.

Whichever way it goes, nobody is left: the kernel itself sends SIGTERM to the children when this
process dies, and gives it whoever they leave behind. Linux only, and the standard library only: it
waits here for weeks, with nothing of Django in its memory. Why it is our own: decision record 0028.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from dashboard.serving.commands import GUNICORN, WORKER

_PDEATHSIG, _CHILD_SUBREAPER = 1, 36  # <linux/prctl.h>
_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_IN_ORDER = (0, -signal.SIGTERM)  # the latter while it was still starting
_KILLED_SECONDS = 5.0  # until the kernel has taken away whoever was killed
_LOOK_EVERY = 0.05  # seconds, while children stop
_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]


class Children:
    """Processes that live no longer than this one. To be used in its main thread only, since the
    death signal hangs on the thread that started them."""

    def __init__(self) -> None:
        self._named: dict[str, subprocess.Popen[bytes]] = {}
        self._codes: dict[str, int] = {}
        # gunicorn's workers become ours when it is killed: so it is known when all are gone.
        _prctl(_CHILD_SUBREAPER, 1)

    def start(self, name: str, command: Sequence[str], **options: Any) -> int:
        """Start one and return its process ID; `options` are those of Popen."""
        # A session of its own: a terminal's Ctrl-C reaches this process alone, which tells them.
        child = subprocess.Popen(  # noqa: S603
            command,
            start_new_session=True,
            preexec_fn=_bind_to(os.getpid()),  # no other thread runs
            **options,
        )
        self._named[name] = child
        return child.pid

    def ended(self) -> dict[str, int]:
        """Exit codes of those that have ended; of a signal, its number below zero."""
        for pid in _ended_pids():
            for child in self._named.values():
                if child.pid == pid:
                    child.poll()
                    break
            else:
                os.waitpid(pid, 0)  # left behind by one of them
        for name, child in list(self._named.items()):
            if child.returncode is not None:
                self._codes[name] = child.returncode
                if not _has_members(child.pid):  # so its number may be another's from now on
                    del self._named[name]
        return dict(self._codes)

    def stop(self, patience: float) -> None:
        """Let them end in order, for so many seconds; a Ctrl-C meanwhile ends them at once."""
        for child in self._living():
            if child.returncode is None:
                child.terminate()  # it tells those that it has started
            else:
                _signal_group(child.pid, signal.SIGTERM)
        self._wait_until_gone(patience)
        for child in self._living():
            _signal_group(child.pid, signal.SIGKILL)
        self._wait_until_gone(_KILLED_SECONDS)

    def _wait_until_gone(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._living() and time.monotonic() < deadline:
            if signal.sigtimedwait([signal.SIGINT], _LOOK_EVERY):
                return

    def _living(self) -> list[subprocess.Popen[bytes]]:
        """Those of which anybody is left, if only what they have started themselves."""
        self.ended()
        return list(self._named.values())


def run(
    commands: Mapping[str, Sequence[str]], *, patience: float, say: Callable[[str], None]
) -> int:
    """Run them until a signal, or until one ends, which stops the others; return the exit code.

    commands: a name for people, and what to start.
    patience: seconds for those that are asked to stop; then they are killed.
    say: takes a sentence for the log.

    0: asked to stop, all ended in order. 1: anything else.
    """
    # Whoever starts this with nohup, or in the background, has them ignored; so does it then.
    stop = [number for number in _STOP if signal.getsignal(number) != signal.SIG_IGN]
    # Blocked, they wait to be fetched: none is lost or comes at a bad moment.
    signal.pthread_sigmask(signal.SIG_BLOCK, [*stop, signal.SIGCHLD])
    children = Children()
    try:
        for name, command in commands.items():
            children.start(name, command, stdin=subprocess.DEVNULL)
        ended: dict[str, int] = {}
        while not ended:
            number = signal.sigwait([*stop, signal.SIGCHLD])
            if number == signal.SIGINT and sys.stderr.isatty():
                print(
                    "\nFires in flight finish first. Ctrl-C again stops at once.", file=sys.stderr
                )
            if number in stop:
                break
            ended = children.ended()
    finally:
        children.stop(patience)
    for name, code in ended.items():
        say(f"The {name} has ended ({described(code)}), so everything was stopped.")
    if ended:
        return 1
    killed = {name: code for name, code in children.ended().items() if code not in _IN_ORDER}
    for name, code in killed.items():
        say(f"The {name} did not stop in order ({described(code)}).")
    return 1 if killed else 0


def described(code: int) -> str:
    """Of an exit code, as Popen gives it."""
    if code >= 0:
        return f"exit code {code}"
    return f"signal {-code}, {signal.strsignal(-code)}"


def _bind_to(parent: int) -> Callable[[], None]:
    def before_exec() -> None:
        # What is noted by a handler of ours, or blocked, would not end the child that it is to be.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _prctl(_PDEATHSIG, signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        if os.getppid() != parent:  # which died before the signal was asked for
            os._exit(1)

    return before_exec


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def _ended_pids() -> Iterator[int]:
    """Of children that can be waited for; each must be, before the next one is asked for."""
    try:
        while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            yield found.si_pid
    except ChildProcessError:
        return


def _has_members(group: int) -> bool:
    return _signal_group(group, 0)


def _signal_group(group: int, number: int) -> bool:
    """False if nobody is in it any more."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def _log(sentence: str) -> None:
    """As all lines of the product are written, and loaded only now."""
    import logging.config

    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)
    logging.getLogger("dashboard.serving.starter").error(sentence)


def main() -> None:
    """`python -m dashboard.serving.starter SECONDS`, as serve.py does when all is prepared."""
    commands = {"web server": GUNICORN, "worker": WORKER}
    sys.exit(run(commands, patience=float(sys.argv[1]), say=_log))


if __name__ == "__main__":
    main()
