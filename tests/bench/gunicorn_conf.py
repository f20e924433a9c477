"""The product's own configuration, in a process that trusts the bench's certificate as well.

The product has no setting for that, and needs none: the change is made here, outside of it.
"""

import os

import certifi

certifi.where = lambda: os.environ["BENCH_CERTIFICATE"]

from dashboard.serving.gunicorn_conf import *  # noqa: E402, F403
