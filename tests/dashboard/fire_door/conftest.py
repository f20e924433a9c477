from collections.abc import Iterator

import pytest

from dashboard.doors import authentication


@pytest.fixture(autouse=True)
def no_wrong_keys_yet() -> Iterator[None]:
    yield
    authentication.wrong_keys.forget()
