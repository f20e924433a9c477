"""The product's processes, as they are started from its folder."""

import sys

GUNICORN = [sys.executable, "-m", "gunicorn", "--config", "python:dashboard.serving.gunicorn_conf"]
WORKER = [sys.executable, "manage.py", "worker"]
# Runs these two together; what follows is for how many seconds it lets them stop.
STARTER = [sys.executable, "-m", "dashboard.serving.starter"]
