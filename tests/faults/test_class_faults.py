"""What a model of classes can do wrong, and what is answered then: never a guess, never silence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from countersign.serving.routing import VersionRef
from countersign.steps.score.worker import Worker

from tests.unit.predictions.cloud import REGION, cloud
from tests.unit.score.payments_world import HIGH, LOW, Payments

NAN_HOUR, TOO_MUCH_HOUR = "2026-11-20T10:00:00Z", "2026-11-20T20:00:00Z"


@pytest.fixture
def payments(monkeypatch: pytest.MonkeyPatch) -> Iterator[Payments]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with cloud() as aws:
        yield Payments(aws, monkeypatch)


class Saying:
    """A runtime that gives these outputs, or raises."""

    def __init__(self, outputs: Any) -> None:
        self._outputs = outputs

    def run(self, *_: object) -> Any:
        if isinstance(self._outputs, Exception):
            raise self._outputs
        return [np.array([self._outputs], dtype=np.float32)]


def spoil(payments: Payments, outputs: Any) -> None:
    """The champion is loaded and verified; then its runtime goes wrong."""
    ref = VersionRef("1.0.0", payments.digests["retry", "1.0.0"])
    Worker.of(payments.stores).session("retry", ref)._session = Saying(outputs)


@pytest.mark.parametrize("at", [NAN_HOUR, TOO_MUCH_HOUR], ids=["NaN", "sums to 1.7"])
def test_the_rules_choose_the_harmless_strategy_when_the_model_gives_no_distribution(
    payments: Payments, at: str
) -> None:
    payments.champion("retry")
    answer = payments.ask("retry", failed_at=at)
    assert (answer["strategy"], answer["decision"]) == ("retry_in_3_days", "retry_in_3_days")
    assert answer["degraded"] == ["model-output-invalid:1.0.0", "rules-only"]
    assert answer["model"]["version"] == "rules-only"
    assert "probabilities" not in answer
    logged = payments.logged(answer)
    assert (logged.model_score, logged.probabilities, logged.threshold) == (None, None, None)
    assert payments.replay(answer)["identical"]


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        (RuntimeError("bug"), "model-failed"),
        ([0.2] * 4, "model-failed"),
        ([0.2] * 6, "model-failed"),
        ([0.85, 0.85, 0.0, 0.0, 0.0], "model-output-invalid"),
        ([0.0] * 5, "model-output-invalid"),
        ([1.2, -0.2, 0.0, 0.0, 0.0], "model-output-invalid"),
        ([math.nan, 1.0, 0.0, 0.0, 0.0], "model-output-invalid"),
        ([math.inf, 0.0, 0.0, 0.0, 0.0], "model-output-invalid"),
    ],
)
def test_whatever_comes_out_that_is_no_distribution_is_named(
    payments: Payments, outputs: Any, reason: str
) -> None:
    payments.champion("retry")
    spoil(payments, outputs)
    answer = payments.ask("retry")
    assert answer["degraded"] == [f"{reason}:1.0.0", "rules-only"]
    assert answer["strategy"] == "retry_in_3_days"


def test_the_previous_version_answers_before_the_rules_do(payments: Payments) -> None:
    payments.publish("retry", "0.9.0", low=HIGH, high=LOW, decisive="failed_attempt_number")
    payments.publish("retry")
    payments.point("retry", previous=["0.9.0"])
    answer = payments.ask("retry", failed_at=NAN_HOUR)
    assert (answer["model"]["version"], answer["strategy"]) == ("0.9.0", "retry_now")
    assert answer["degraded"] == ["model-output-invalid:1.0.0"]


def test_a_kill_switch_leaves_the_rules_and_the_harmless_strategy(payments: Payments) -> None:
    payments.champion("retry")
    payments.point("retry", kill_switch=True)
    answer = payments.ask("retry")
    assert (answer["strategy"], answer["degraded"]) == (
        "retry_in_3_days", ["kill-switch", "rules-only"],
    )  # fmt: skip
    stolen = payments.ask("retry", failure_code="stolen_card", idempotency_key="another")
    assert stolen["strategy"] == "ask_for_new_method"
    assert [reason["code"] for reason in stolen["reason_codes"]] == ["CARD_STOLEN"]
    assert payments.replay(stolen)["identical"]


def test_rules_that_choose_otherwise_since_are_not_taken_for_those_that_answered(
    payments: Payments, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same rules over other strategies are another book: replay says so, and does not guess."""
    from dataclasses import replace

    from countersign import use_cases

    answer = payments.ask("retry")
    case = use_cases.get("retry")
    swapped = replace(case, strategies=case.strategies[::-1])
    monkeypatch.setitem(use_cases.all_use_cases(), "retry", swapped)
    with pytest.raises(AssertionError, match="No version that is kept"):
        payments.replay(answer)


def test_a_model_of_classes_without_strategies_is_refused_at_load(payments: Payments) -> None:
    import json

    from tests.unit.serving.models import manifest_of

    payments.publish("retry")
    files = {
        name: payments.stores.artifacts.get(f"retry/1.0.0/{name}")
        for name in ("model.onnx", "serving.json", "golden.npz")
    }
    serving = {**json.loads(files["serving.json"]), "strategies": []}
    files["serving.json"] = json.dumps(serving).encode()
    payments.stores.artifacts.put("retry/1.0.0/serving.json", files["serving.json"])
    payments.digests["retry", "1.0.0"] = payments.stores.artifacts.seal(
        "retry/1.0.0", manifest_of(files)
    )
    payments.point("retry")
    answer = payments.ask("retry")
    assert answer["degraded"] == ["artifact-refused:1.0.0", "rules-only"]


def test_a_shadow_that_gives_no_distribution_leaves_no_score(payments: Payments) -> None:
    payments.champion("retry", decisive="failed_attempt_number")
    payments.publish("retry", "1.1.0")
    payments.point("retry", shadows=["1.1.0"])
    answer = payments.ask("retry", failed_at=TOO_MUCH_HOUR)
    assert payments.run_shadows("retry", answer) == []
    assert payments.logged(answer).shadow_scores == {}
