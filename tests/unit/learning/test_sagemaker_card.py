"""The card that SageMaker takes: held against its JSON schema and against the service's own model."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from countersign import use_cases
from countersign.governance.registry_record import registry_record
from countersign.governance.versions import Version
from countersign.learning.sagemaker_card import sagemaker_card
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from tests.unit.learning.sagemaker_model_card import SCHEMA
from tests.unit.registry.world import record

FAIRNESS = {
    "verdict": "PASS",
    "groups": {"country": {"verdict": "PASS"}, "contract_type": {"verdict": "INSUFFICIENT"}},
    "reasons": ["contract_type: one group is too small to judge"],
}
BINARY: dict[str, Any] = {
    "passed": True,
    "fairness": FAIRNESS,
    "roc": [[n / 250, min(1.0, n / 125)] for n in range(251)],
    "pr": [[0.0, 1.0], [1.0, 0.1]],
    "confusion": {"tp": 8, "fp": 3, "fn": 2, "tn": 87},
}
CLASSES: dict[str, Any] = {
    "passed": False,
    "fairness": FAIRNESS,
    "classes": ["now", "later", "never"],
    "confusion_matrix": [[5, 1, 0], [2, 9, 1], [0, 0, 4]],
}
NO_THRESHOLD: dict[str, Any] = {
    "cost_optimal_threshold": None, "recall": None, "false_positive": None,
    "unknown": dict.fromkeys(("cost_optimal_threshold", "recall", "false_positive"), "classes"),
    "metrics": {"accuracy": 0.8, "recall_never": None}, "intervals": {"accuracy": [0.7, 0.9]},
}  # fmt: skip


def card(name: str, evaluation: dict[str, Any], **changes: Any) -> dict[str, Any]:
    version = Version(
        record=record("run-1", version="1.0.0", **changes), stage="Staging", registered_at=""
    )
    return sagemaker_card(use_cases.get(name), registry_record(version, models_bucket="m"), evaluation)  # fmt: skip


def errors(document: dict[str, Any]) -> list[str]:
    return [f"{list(e.absolute_path)}: {e.message}" for e in Draft7Validator(SCHEMA).iter_errors(document)]  # fmt: skip


@pytest.mark.parametrize("name", sorted(u.name for u in use_cases.registered()))
def test_the_card_of_every_use_case_has_the_shape_that_sagemaker_takes(name: str) -> None:
    classes = bool(use_cases.get(name).label.classes)
    made = card(name, CLASSES, **NO_THRESHOLD) if classes else card(name, BINARY)
    assert errors(made) == []
    assert len(json.dumps(made, allow_nan=False)) <= 100_000


def test_the_service_takes_it_as_the_content_of_a_model_card() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    shape = model.operation_model("CreateModelCard").input_shape
    request = {
        "ModelCardName": "payroll-anomaly-1-0-0",
        "ModelCardStatus": "Draft",
        "Content": json.dumps(card("payroll_anomaly", BINARY)),
    }
    assert not ParamValidator().validate(request, shape).has_errors()


def test_figures_have_their_intervals_and_an_undefined_one_is_not_a_number() -> None:
    (details,) = card("payroll_anomaly", BINARY)["evaluation_details"]
    metrics = {m["name"]: m for m in details["metric_groups"][0]["metric_data"]}
    assert (metrics["auc"]["value"], metrics["auc"]["notes"]) == (
        0.91,
        "95 % interval 0.88 to 0.94",
    )
    assert (metrics["brier"]["type"], metrics["brier"]["value"]) == ("string", "undefined")


def test_a_curve_is_thinned_and_keeps_its_ends() -> None:
    (details,) = card("payroll_anomaly", BINARY)["evaluation_details"]
    roc = details["metric_groups"][1]["metric_data"][0]["value"]
    assert len(roc) <= 100
    assert (roc[0], roc[-1]) == ([0.0, 0.0], [1.0, 1.0])


def test_classes_have_their_confusion_matrix_and_no_invented_threshold() -> None:
    made = card("retry", CLASSES, **NO_THRESHOLD)
    (details,) = made["evaluation_details"]
    (matrix,) = details["metric_groups"][1]["metric_data"]
    assert matrix["x_axis_name"] == ["now", "later", "never"]
    custom = made["additional_information"]["custom_details"]
    assert custom["unknown_cost_optimal_threshold"] == "classes"


@given(st.text(min_size=1), st.dictionaries(st.text(max_size=300), st.text(), max_size=3))
def test_no_words_break_its_shape(words: str, chosen: dict[str, str]) -> None:
    made = card("payroll_anomaly", BINARY, owner=words * 3000, hyperparameters=chosen)
    assert errors(made) == []


def test_the_schema_itself_refuses_what_it_should() -> None:
    made = card("payroll_anomaly", BINARY)
    assert errors({**made, "surprise": 1})
    assert errors({**made, "intended_uses": {"risk_rating": "Enormous"}})
