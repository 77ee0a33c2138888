"""Before and after training: a new dataset is held against the champion's, and signers are shown what moved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from countersign.governance.evidence import data_evidence
from countersign.monitoring.baseline import freeze as freeze_baseline
from countersign.steps import report

from tests.unit.reports.test_reports import outline
from tests.unit.use_cases.payroll import USE_CASE

from .cloud import Cloud
from .store import Store
from .test_freeze import freeze, manifest, payroll, prepared

NAME = USE_CASE.name
MOVED = "gross_to_usual_log_ratio"


def columns(store: Store, dataset_id: str, folder: Any) -> dict[str, Any]:
    """The train split as it was frozen."""
    import pandas as pd

    (path,) = store.stores.lake.download([f"datasets/{dataset_id}/train.parquet"], folder)
    frame = pd.read_parquet(path)
    return {name: frame[name].to_numpy() for name in USE_CASE.inputs}


def crown(store: Store, features: dict[str, Any]) -> None:
    """A champion whose baseline was frozen from `features`."""
    baseline = freeze_baseline(features, np.zeros(10))
    store.stores.lake.write_json(f"baselines/{NAME}/1.0.0.json", baseline)
    pointer = store.stores.registry.pointer(NAME)
    champion = {"version": "1.0.0", "digest": "d" * 64}
    store.stores.registry.put(f"model#{NAME}", "pointer", {**pointer, "champion": champion})


def evidence(store: Store, dataset_id: str) -> dict[str, Any]:
    found: dict[str, Any] = store.stores.lake.read_json(f"reports/{NAME}/dataset/{dataset_id}.json")
    return found


@pytest.fixture
def store(aws: Cloud) -> Store:
    rows = payroll()
    again = [{**row, "payslip_id": f"again-{row['payslip_id']}"} for row in rows[:4]]
    return prepared(aws, [*rows, *again])


def test_without_a_champion_there_is_nothing_to_compare(store: Store) -> None:
    result = freeze(store)
    found = evidence(store, result.dataset_id)
    assert (found["champion"], found["comparison"]) == (None, None)
    page = report.run(report.Request("dataset", NAME, dataset_id=result.dataset_id), store.stores)
    assert "no champion" in store.stores.lake.get(page.report_key).decode()


def test_what_moved_since_the_champions_training_is_found_and_shown(
    store: Store, tmp_path: Any
) -> None:
    first = freeze(store)
    before = columns(store, first.dataset_id, tmp_path)
    crown(store, before)
    same = freeze(store)
    assert same == first  # the manifest does not depend on who is champion
    calm = evidence(store, first.dataset_id)["comparison"]
    assert (calm["drifted"], calm["watched"], calm["n"], calm["m"]) == (
        [],
        [],
        *[len(before[MOVED])] * 2,
    )
    crown(store, {**before, MOVED: before[MOVED] * 3 + 1})
    freeze(store)
    found = evidence(store, first.dataset_id)
    assert found["comparison"]["drifted"] == [MOVED]
    row = found["comparison"]["features"][0]
    assert (row["feature"], row["verdict"]) == (MOVED, "alert")
    assert row["psi"] > row["critical"]
    told = data_evidence(found)
    assert (told["status"], told["compared_with"]) == ("alert", "1.0.0")
    assert [row["feature"] for row in told["moved"]] == [MOVED]
    drawn = report.run(report.Request("dataset", NAME, dataset_id=first.dataset_id), store.stores)
    page = outline(store.stores.lake.get(drawn.report_key).decode())
    assert page.headings[2].startswith("Before and after")
    assert page.drawings == 2
    assert page.outside == []


def test_repeated_payslips_are_named_by_key_and_nothing_else(store: Store) -> None:
    result = freeze(store)
    keys = [{"key": f"again-P-{n}", "repeats": f"P-{n}"} for n in range(4)]
    checks = manifest(store, result)["checks"]
    assert (checks["duplicates"], checks["duplicate_keys"]) == (4, keys)
    told = data_evidence(evidence(store, result.dataset_id))
    assert told["duplicates"] == {"rows": 4, "keys": keys}
