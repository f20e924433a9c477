"""`python -m tests.server.other_clock SECONDS COMMAND...`: manage.py on a host whose clock is so
many seconds fast, or slow if negative. SIGUSR1 sets it back by an hour, SIGUSR2 forward by one.

Of this process alone. What measures how long something took goes on as it did, as on a real host.
"""

import os
import signal
import sys
import time
from types import FrameType

import time_machine

_HOUR = 3600.0


def set_by(seconds: float) -> None:
    """From the time that this process has now."""
    time_machine.travel(time.time() + seconds, tick=True).start()


def _back(_number: int, _frame: FrameType | None) -> None:
    set_by(-_HOUR)


def _forward(_number: int, _frame: FrameType | None) -> None:
    set_by(_HOUR)


if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    os.environ["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
    signal.signal(signal.SIGUSR1, _back)
    signal.signal(signal.SIGUSR2, _forward)
    set_by(float(sys.argv[1]))
    execute_from_command_line(["manage.py", *sys.argv[2:]])
