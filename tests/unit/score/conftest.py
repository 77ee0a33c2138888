from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.predictions.cloud import REGION, cloud
from tests.unit.score.payments_world import Payments
from tests.unit.score.world import World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with cloud() as aws:
        yield World(aws, monkeypatch)


@pytest.fixture
def payments(monkeypatch: pytest.MonkeyPatch) -> Iterator[Payments]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with cloud() as aws:
        yield Payments(aws, monkeypatch)
