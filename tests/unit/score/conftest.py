from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.predictions.cloud import REGION, cloud
from tests.unit.score.world import World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with cloud() as aws:
        yield World(aws, monkeypatch)
