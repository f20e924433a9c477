import pytest
from django.utils import timezone

from routines.models import HeaderVersion


@pytest.fixture(autouse=True)
def documented_ones_are_accepted(db: None) -> None:
    """As where runs were started with them."""
    HeaderVersion.objects.update(accepted_at=timezone.now())
