"""`cdk.json` is read whole or refused, with what to do."""

import json
from typing import Any

import pytest

from infra.settings import ENVIRONMENTS, SettingsError, environment
from tests.infra.conftest import ROOT

DECLARED: dict[str, dict[str, Any]] = json.loads((ROOT / "cdk.json").read_text())["context"][
    "environments"
]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_environment_is_declared_and_complete(name: str) -> None:
    assert environment(name, DECLARED).name == name


@pytest.mark.parametrize("name", [None, "", "production"])
def test_an_unknown_environment_is_refused_with_the_choices(name: str | None) -> None:
    with pytest.raises(SettingsError, match=r"-c env=local\|dev\|staging\|prod"):
        environment(name, DECLARED)


@pytest.mark.parametrize("change", [{"regoin": "eu-west-1"}, {"target": None}])
def test_an_unknown_or_missing_setting_is_named(change: dict[str, Any]) -> None:
    values = {**DECLARED["dev"], **change}
    values = {key: value for key, value in values.items() if value is not None}
    with pytest.raises(SettingsError, match=next(iter(change))):
        environment("dev", {"dev": values})


def test_a_snapshot_excludes_workers_that_wait() -> None:
    values = {**DECLARED["prod"], "snap_start": True, "provisioned_concurrency": 1}
    with pytest.raises(SettingsError, match="snap_start excludes"):
        environment("prod", {"prod": values})


def test_only_the_local_environment_gives_up_protection() -> None:
    assert [n for n in ENVIRONMENTS if not environment(n, DECLARED).deletion_protection] == [
        "local"
    ]


def test_production_keeps_logs_and_seals_for_five_years() -> None:
    prod = environment("prod", DECLARED)
    assert min(prod.log_retention_days, prod.seal_retention_days) >= 5 * 365
