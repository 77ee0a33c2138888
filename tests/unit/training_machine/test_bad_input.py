"""What must not be learned from, or loaded, is refused by name with what to do, and leaves nothing behind."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from countersign.aws.stores import Stores
from countersign.errors import (
    ArtifactError,
    ContractError,
    CountersignError,
    DataError,
    DigestMismatchError,
    SyntheticDataError,
    TooFewRowsError,
)
from countersign.steps import evaluate, export_model, register, train

from tests.unit.features.cloud import Cloud
from tests.unit.features.conftest import aws
from tests.unit.features.store import Store
from tests.unit.features.test_freeze import errors, freeze, payroll, prepared
from tests.unit.learning.cases import table
from tests.unit.learning.world import FOLDER, RUN, stores, trained
from tests.unit.learning.world import freeze as leave_dataset
from tests.unit.use_cases.payroll import error, slip

__all__ = ["aws", "stores"]


def refused(doing: Callable[[], Any], kind: type[CountersignError], *told: str) -> None:
    """The error has its own name, and says what is wrong and what to do."""
    with pytest.raises(kind) as raised:
        doing()
    assert type(raised.value) is kind
    for text in told:
        assert text in raised.value.detail


def learn(stores: Stores) -> Any:
    return train.run(train.Request(**RUN), stores)


def nothing_stands(stores: Stores) -> None:
    """No model in the run's folder, no version, nothing on the chain."""
    assert stores.artifacts.keys(f"{FOLDER}/") == []
    assert stores.registry.versions("small") == []
    assert stores.audit.entries("small") == []


def test_too_few_rows_are_not_frozen(aws: Cloud) -> None:
    store = prepared(aws, payroll(workers=3))
    refused(lambda: freeze(store), TooFewRowsError, "needs 500")
    assert store.stores.lake.keys("datasets/") == []


def test_too_few_positives_are_not_frozen(aws: Cloud) -> None:
    rows = payroll()
    store = prepared(aws, rows, errors(rows)[:3])
    refused(lambda: freeze(store), TooFewRowsError, "3 positives", "needs 500 with 10")
    assert store.stores.lake.keys("datasets/") == []


def test_payslips_that_came_twice_are_not_frozen(aws: Cloud) -> None:
    rows = payroll()
    again = [row | {"payslip_id": f"AGAIN-{n}"} for n, row in enumerate(rows[:40])]
    store = prepared(aws, [*rows, *again], errors(rows))
    refused(lambda: freeze(store), DataError, "find out which delivery came twice")
    assert store.stores.lake.keys("datasets/") == []


def test_a_label_from_the_future_is_put_aside_with_its_reason(aws: Cloud) -> None:
    """An error that has not happened yet cannot have been confirmed."""
    store = Store(aws)
    found = store.deliver("payroll_errors", [error(1, 0, "2026-12-24", "2026-11-01")])
    assert found.status == "quarantined"
    (reason,) = [k for k in aws.stores.raw.keys("quarantine/") if k.endswith("reason.json")]
    assert "occurred_at" in str(aws.stores.raw.read_json(reason))
    assert aws.stores.lake.keys("sources/") == []


def test_an_unknown_column_is_put_aside_with_its_reason(aws: Cloud) -> None:
    store = Store(aws)
    found = store.deliver("payslips", [slip(1, "2026-09-30", 100) | {"bonus_of_the_boss": 1}])
    assert found.status == "quarantined"
    (reason,) = [k for k in aws.stores.raw.keys("quarantine/") if k.endswith("reason.json")]
    assert "bonus_of_the_boss" in str(aws.stores.raw.read_json(reason))


def test_synthetic_payslips_are_not_frozen_outside_local(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = payroll(_synthetic=True)
    store = prepared(aws, rows)
    monkeypatch.setattr(
        store.stores, "settings", replace(store.stores.settings, environment="prod")
    )
    refused(lambda: freeze(store), SyntheticDataError, "in local only")
    assert store.stores.lake.keys("datasets/") == []


def splits(**changes: Any) -> dict[str, Any]:
    """Three splits in which a column is `changes`' value everywhere."""
    made = {
        "train": table(900, seed=1, first=0),
        "valid": table(400, seed=2, first=900),
        "test": table(400, seed=3, first=1_300),
    }
    for columns in made.values():
        columns |= {name: np.full(len(columns["label"]), value) for name, value in changes.items()}
    return made


@pytest.mark.parametrize(("value", "told"), [(4.0, "every one is the same"), (np.nan, "is null")])
def test_a_feature_that_is_constant_or_all_null_teaches_nothing(
    stores: Stores, value: float, told: str
) -> None:
    leave_dataset(stores, splits=splits(z=value))
    refused(lambda: learn(stores), DataError, "z:", told, "Mend its source")
    nothing_stands(stores)


def test_an_input_that_is_no_column_is_named(stores: Stores) -> None:
    made = splits()
    for columns in made.values():
        del columns["changes"]
    leave_dataset(stores, splits=made)
    refused(lambda: learn(stores), ContractError, "changes", "freeze it again")
    nothing_stands(stores)


def test_synthetic_data_teaches_nothing_outside_local(stores: Stores) -> None:
    leave_dataset(stores, synthetic=True)
    refused(lambda: learn(stores), SyntheticDataError, "freeze one from real deliveries")
    nothing_stands(stores)


def test_a_split_that_is_not_the_frozen_one_teaches_nothing(stores: Stores) -> None:
    leave_dataset(stores)
    stores.lake.put("datasets/d1/train.parquet", stores.lake.get("datasets/d1/test.parquet"))
    refused(lambda: learn(stores), DigestMismatchError, "train.parquet", "freeze the dataset again")
    nothing_stands(stores)


def objects() -> bytes:
    """An archive whose arrays are pickles."""
    buffer = io.BytesIO()
    np.savez(buffer, header=np.array([{"kind": "trees"}], dtype=object))
    return buffer.getvalue()


# Fails the test when it is read.
PICKLE = b"cpytest\nfail\n(S'the pickle was read'\ntR."
FOREIGN = {
    "object arrays": objects(),
    "a pickle": PICKLE,
    "a torn archive": objects()[:-30],
    "another's archive": b"PK\x03\x04" + bytes(60),
    "no bytes": b"",
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_model_is_neither_read_nor_signed(stores: Stores, content: bytes) -> None:
    """Even where the run's record was rewritten to vouch for it."""
    leave_dataset(stores)
    learn(stores)
    record = stores.artifacts.read_json(f"{FOLDER}/training.json")
    record["files"]["native.npz"] = hashlib.sha256(content).hexdigest()
    stores.artifacts.put(f"{FOLDER}/native.npz", content)
    stores.artifacts.write_json(f"{FOLDER}/training.json", record)
    asked = export_model.Request(**RUN)
    refused(lambda: export_model.run(asked, stores), ArtifactError, "train again")
    assert not stores.artifacts.exists(f"{FOLDER}/manifest.sig")


@pytest.mark.parametrize("name", ["model.onnx", "serving.json", "golden.npz"])
def test_a_file_whose_digest_does_not_match_is_neither_judged_nor_registered(
    stores: Stores, name: str
) -> None:
    trained(stores)
    evaluate.run(evaluate.Request(**RUN), stores)
    content = stores.artifacts.get(f"{FOLDER}/{name}")
    stores.artifacts.put(f"{FOLDER}/{name}", content + b"\x00")
    refused(lambda: evaluate.run(evaluate.Request(**RUN), stores), DigestMismatchError, name)
    chosen: dict[str, Any] = dict(RUN)
    asked = register.Request(action="register", **chosen)
    refused(lambda: register.run(asked, stores), DigestMismatchError, name)
    assert stores.registry.versions("small") == []
