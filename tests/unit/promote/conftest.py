from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.operate.house import House, built


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    with built(monkeypatch) as made:
        yield made
