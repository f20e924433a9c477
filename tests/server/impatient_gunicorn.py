"""The product's gunicorn, with time limits for requests that a test can wait for."""

from dashboard.serving import receiving
from dashboard.serving.gunicorn_conf import *  # noqa: F403

receiving.HEAD_SECONDS = receiving.BODY_SECONDS = 0.5
receiving.LOOK_EVERY = 0.1
