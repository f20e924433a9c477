"""One worker from its start to its stop."""

import logging
import os
import signal
import time
from types import FrameType

from routines import fire_api
from routines.worker.duties import Rota, duties
from routines.worker.loop import Loop

logger = logging.getLogger(__name__)


def run(*, places: int) -> None:
    """Until it is told to stop: then fires in flight finish. Ctrl-C twice ends it at once, with 1.

    Only that: a starter that dies while it stops sends SIGTERM once more, and nobody is in a hurry.
    Called in the main thread, the only one that signals reach.
    """
    loop = Loop(places=places)
    stopped_at: list[float] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if stopped_at and number == signal.SIGINT:
            os._exit(1)
        stopped_at.append(time.monotonic())
        loop.stop()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, stop)
    fire_api.warm_up()
    rota = Rota(duties())
    rota.start()
    fires = loop.run()
    rota.stop()
    waited = time.monotonic() - stopped_at[0]
    logger.info("stop", extra={"facts": {"fires_waited_for": fires, "seconds": round(waited, 1)}})
