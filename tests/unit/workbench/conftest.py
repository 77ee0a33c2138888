from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.features.cloud import REGION, Cloud, cloud

from .desk import DATA, QUICK, Terminal, rows, text, write


@pytest.fixture(autouse=True)
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="session")
def terminal() -> Terminal:
    return Terminal()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a flat file. Only read it."""
    place = tmp_path_factory.mktemp("trained")
    data = write(place / "customers.csv", rows())
    config = text(place / "config.yaml", QUICK + DATA)
    ended = Terminal.type("train", "--dataset", data, "--config", config, "--out", place / "run")
    assert ended.code == 0, ended.err
    return place / "run"


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """A flat file of 900 customers."""
    return write(tmp_path / "customers.csv", rows())


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    """A configuration that names its columns and trains a few trees."""
    return text(tmp_path / "config.yaml", QUICK + DATA)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with cloud() as account:
        yield account
