"""An office to load sheets into; afterwards its books must still add up."""

from collections.abc import Iterator

import pytest
from django.utils import translation

from cases.auditing import audit
from cases.flow import clock
from tests.cases.sheets.loading_desk import NOW, Desk
from tests.factories import furnished


@pytest.fixture
def desk(db: None, tmp_path) -> Iterator[Desk]:
    """Business time stands at NOW, a Thursday; the words are English."""
    with clock.standing_at(NOW), translation.override("en"):
        yield Desk(furnished(), tmp_path)
        assert audit(NOW).violations == []
