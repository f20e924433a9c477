"""The product's gunicorn, whose second worker is held right after its fork while FORKED exists."""

import os
import time
from pathlib import Path
from typing import Any

from dashboard.serving.gunicorn_conf import *  # noqa: F403


def post_fork(_server: Any, worker: Any) -> None:
    if worker.age == 2:
        forked = Path(os.environ["FORKED"])
        forked.touch()
        while forked.exists():
            time.sleep(0.01)
