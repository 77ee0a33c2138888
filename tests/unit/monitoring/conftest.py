"""A loaded machine is not a failing test, and a run is repeatable."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from countersign.aws.session import client
from hypothesis import settings
from moto import mock_aws

from tests.unit.monitoring.cloud import Duty
from tests.unit.registry.world import REGION

settings.register_profile("monitoring", deadline=None, derandomize=True)
settings.load_profile("monitoring")


@pytest.fixture
def duty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Duty]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield Duty()
        client.cache_clear()
