from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from countersign.steps import build_features

from tests.unit.use_cases.payroll import slip

from .deployed import Deployed, deployed, now

VIEW = "worker_pay"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Deployed]:
    """A deployment that has seen nothing."""
    with deployed(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Worker W-1 with three payslips, one of them corrected later; everything built. Only read it."""
    with deployed(tmp_path_factory.mktemp("deployed")) as made:
        pay(made)
        yield made


def pay(made: Deployed) -> None:
    """Deliver, register, build, materialize and log one view."""
    made.store.deliver(
        "payslips",
        [
            slip(1, "2026-08-31", 300_000),
            slip(2, "2026-09-30", 310_000),
            slip(3, "2026-10-30", 320_000),
            slip(2, "2026-09-30", 250_000, revision=1, known_at="2026-11-05T00:00:00Z"),
        ],
    )
    build_features.run(build_features.Request(action="plan"), made.stores)
    made.store.refresh(VIEW)
    build_features.run(build_features.Request(action="quality", as_of=now(made)), made.stores)
