"""Generated deliveries become training sets: ingested, built and frozen by the steps that production runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from countersign import use_cases
from countersign.cli.payments_generator import generate
from countersign.clock import iso
from countersign.features import dataset, duck
from countersign.steps import build_features, freeze_dataset, ingest

from tests.unit.features.cloud import NOW, Cloud, cloud

NAMES = ("fraud", "churn", "retry", "recovery")
VIEWS = {view.name for name in NAMES for view in use_cases.get(name).views}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Fifteen months of 2 600 accounts, ingested; every view built."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        with cloud() as made:
            out = tmp_path_factory.mktemp("delivery")
            world = {"customers": 2600, "merchants": 120, "months": 15, "batch_months": 20}
            for file in generate(out, seed=11, as_of=NOW, **world).files:
                made.stores.raw.put(file.key, (out / file.key).read_bytes())
                ingest.run(ingest.Request(key=file.key), made.stores)
            for view in sorted(VIEWS):
                asked = {"action": "build", "view": view, "as_of": iso(NOW)}
                build_features.run(build_features.Request(**asked), made.stores)
            yield made


def frozen(aws: Cloud, name: str, folder: Path) -> tuple[dict[str, Any], list[Any]]:
    """The manifest of a frozen set, and (label, count) of all its rows."""
    asked = freeze_dataset.Request(use_case=name, run_id="run-1", as_of=iso(NOW))
    result = freeze_dataset.run(asked, aws.stores)
    assert isinstance(result, freeze_dataset.Result)
    place = f"datasets/{result.dataset_id}"
    files = aws.stores.lake.download([f"{place}/{s}.parquet" for s in dataset.SPLITS], folder)
    with duck.connect() as connection:
        found = connection.execute(f"SELECT label, count(*) FROM {duck.parquet(files)} GROUP BY 1")
        labels = found.fetchall()
    return aws.stores.lake.read_json(f"{place}/manifest.json"), labels


@pytest.mark.parametrize("name", NAMES)
def test_a_training_set_is_frozen_without_a_leak_and_with_every_input(
    aws: Cloud, name: str, tmp_path: Path
) -> None:
    manifest, labels = frozen(aws, name, tmp_path)
    case = use_cases.get(name)
    assert manifest["synthetic"] is True
    assert all(view["violations"] == 0 for view in manifest["leakage_audit"]["views"].values())
    assert not manifest["leakage_audit"]["suspicious"]
    assert {label for label, _ in labels} == set(case.label.classes or (True, False))
    for column in case.inputs:
        told = manifest["summary"][column]
        assert told["min"] is not None, column
        assert told["min"] < told["max"], f"{column} is the same in every row"
        low, high = case.feature(column).valid
        assert low <= told["min"] <= told["max"] <= high, column
