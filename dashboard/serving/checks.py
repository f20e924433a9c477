"""What `manage.py check` and each start warn of: settings that are good and may not be meant."""

import logging
from typing import Any

from django.conf import settings
from django.core import checks

TAG = "network"

logger = logging.getLogger(__name__)


@checks.register(TAG)
def check_proxy_variable(**_: Any) -> list[checks.CheckMessage]:
    if not settings.UNUSED_PROXY_VARIABLE:
        return []
    return [
        checks.Warning(
            f"{settings.UNUSED_PROXY_VARIABLE} is set, and fires do not use it.",
            hint="Set FIRE_PROXY_URL: to the proxy, or to direct if fires need none.",
            id="dashboard.W001",
        )
    ]


def log_warnings() -> None:
    for message in checks.run_checks(tags=[TAG]):
        logger.warning("%s %s", message.msg, message.hint)
