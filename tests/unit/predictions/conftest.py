from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.predictions.cloud import REGION, Cloud, cloud


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with cloud() as made:
        yield made
