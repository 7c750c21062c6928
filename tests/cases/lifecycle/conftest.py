"""Every story of a case ends with clean books."""

from collections.abc import Iterator

import pytest

from cases.auditing import audit
from tests.factories import T0, House, furnished


@pytest.fixture
def house(db: None) -> Iterator[House]:
    """A furnished house; afterwards everything must still add up."""
    yield furnished()
    assert audit(T0).violations == []
