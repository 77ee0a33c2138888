"""The payments routes with a champion, through the front door: one contract, whatever the model says."""

from __future__ import annotations

from typing import Any

import pytest
from countersign import use_cases

from tests.unit.score.payments_world import HIGH, LOW, Payments, in_parquet

SHAPE = {
    "prediction_id", "score", "decision", "threshold", "reason_codes", "model", "degraded",
    "request_id",
}  # fmt: skip
CLASSES = use_cases.get("retry").label.classes
LIKELY_LATER = "2026-11-20T03:00:12Z"  # hour 3: the low end
LIKELY_NOW = "2026-11-20T07:00:12Z"  # hour 7: the high end


class TestAScore:
    """fraud and churn: one score, review or pass."""

    @pytest.mark.parametrize("name", ["fraud", "churn"])
    def test_is_answered_with_its_decision_and_nothing_of_strategies(
        self, payments: Payments, name: str
    ) -> None:
        payments.champion(name)
        answer = payments.ask(name)
        assert answer.keys() == SHAPE
        assert answer["model"]["version"] == "1.0.0"
        assert answer["decision"] == (
            "review" if answer["score"] >= answer["threshold"] else "pass"
        )
        assert payments.replay(answer)["identical"]

    @pytest.mark.parametrize("name", ["fraud", "churn", "retry", "recovery"])
    def test_comes_without_the_version_prefix_too(self, payments: Payments, name: str) -> None:
        payments.champion(name)
        bare = use_cases.get(name).api_path.removeprefix("/v1")
        assert payments.post(bare, payments.body(name))[0] == 200

    def test_of_a_guest_whom_nobody_has_seen_is_the_models_own(self, payments: Payments) -> None:
        """The merchant must be on record, the customer need not be: their features are null."""
        payments.champion("fraud")
        status, answer = payments.call("fraud", payments.body("fraud_guest"))
        assert (status, answer["model"]["version"]) == (200, "1.0.0")
        assert answer["degraded"] == []
        assert payments.logged(answer).features["customer_total_payments_30d"] is None
        assert payments.replay(answer)["identical"]

    @pytest.mark.parametrize(
        ("name", "field"), [("fraud", "merchant_id"), ("churn", "customer_id")]
    )
    def test_is_refused_where_the_first_entity_is_not_on_record(
        self, payments: Payments, name: str, field: str
    ) -> None:
        payments.champion(name)
        assert payments.call(name, payments.body(name, **{field: "nobody"}))[0] == 404

    def test_of_a_category_that_no_list_knows_is_scored_as_unknown(
        self, payments: Payments
    ) -> None:
        payments.champion("fraud")
        answer = payments.ask("fraud", payment_method_type="carrier_pigeon")
        declared = use_cases.get("fraud").feature("payment_method_type")
        unknown = float(len(declared.categories))  # type: ignore[union-attr]
        assert payments.logged(answer).features["payment_method_type"] == unknown

    @pytest.mark.parametrize("text", ["p" * 65, "Card", "card\n", "", 7, ["card"]])
    def test_of_a_category_that_is_no_lower_case_word_of_64_is_refused(
        self, payments: Payments, text: Any
    ) -> None:
        payments.champion("fraud")
        status, problem = payments.call("fraud", payments.body("fraud", payment_method_type=text))
        assert status == 422
        assert [error["field"] for error in problem["errors"]] == ["payment.payment_method_type"]


class TestClasses:
    """retry: probabilities by class, and the strategy that follows from them or from a rule."""

    def test_the_likeliest_class_is_recommended_with_the_probability_of_each(
        self, payments: Payments
    ) -> None:
        payments.champion("retry")
        answer = payments.ask("retry", failed_at=LIKELY_NOW)
        assert answer.keys() == SHAPE | {"strategy", "wait_seconds", "probabilities"}
        assert (answer["strategy"], answer["decision"]) == ("retry_now", "retry_now")
        assert answer["probabilities"] == pytest.approx(dict(zip(CLASSES, HIGH, strict=True)))
        assert answer["score"] == max(answer["probabilities"].values())
        assert (answer["threshold"], answer["degraded"], answer["wait_seconds"]) == (None, [], 0.0)
        assert answer["reason_codes"] == []

    def test_what_was_answered_is_logged_and_replays_bit_for_bit(self, payments: Payments) -> None:
        payments.champion("retry")
        answer = payments.ask("retry", failed_at=LIKELY_LATER)
        logged = payments.logged(answer)
        assert (logged.strategy, logged.decision) == ("retry_in_3_days", "retry_in_3_days")
        assert logged.probabilities == answer["probabilities"]
        assert (logged.score, logged.model_score, logged.threshold) == (
            answer["score"], answer["score"], None,
        )  # fmt: skip
        replayed = payments.replay(answer)
        assert replayed["identical"], replayed
        assert replayed["replayed"]["probabilities"] == answer["probabilities"]

    def test_a_rule_decides_before_the_model_and_is_the_reason(self, payments: Payments) -> None:
        payments.champion("retry")
        answer = payments.ask("retry", failed_at=LIKELY_NOW, failure_code="stolen_card")
        assert answer["strategy"] == "ask_for_new_method"
        assert [reason["code"] for reason in answer["reason_codes"]] == ["CARD_STOLEN"]
        # The score stays what the model says of its likeliest class.
        assert answer["score"] == answer["probabilities"]["retry_now"]
        assert payments.replay(answer)["identical"]

    def test_a_class_below_its_own_bound_is_not_recommended(self, payments: Payments) -> None:
        payments.champion("retry", high=(0.3, 0.2, 0.2, 0.15, 0.15))
        answer = payments.ask("retry", failed_at=LIKELY_NOW)
        assert answer["probabilities"]["retry_now"] == pytest.approx(0.3)
        assert answer["strategy"] != "retry_now"
        assert answer["score"] == answer["probabilities"]["retry_now"]

    def test_the_archive_keeps_the_probabilities_as_a_map(self, payments: Payments) -> None:
        payments.champion("retry")
        answer = payments.ask("retry")
        row = in_parquet(payments, answer)
        assert row["probabilities"] == answer["probabilities"]
        assert (row["strategy"], row["threshold"], row["outcome"]) == (
            answer["strategy"], None, None,
        )  # fmt: skip
        assert row["degraded"] is False

    def test_a_shadow_says_what_it_would_have_recommended(self, payments: Payments) -> None:
        payments.champion("retry")
        payments.publish("retry", "1.1.0", low=HIGH, high=LOW)
        payments.point("retry", shadows=["1.1.0"])
        answer = payments.ask("retry", failed_at=LIKELY_NOW)
        assert payments.run_shadows("retry", answer) == []
        said = payments.logged(answer).shadow_scores["1.1.0"]
        assert (said["strategy"], said["decision"]) == ("retry_in_3_days", "retry_in_3_days")
        assert said["probabilities"] == pytest.approx(dict(zip(CLASSES, LOW, strict=True)))
        assert answer["strategy"] == "retry_now"


class TestOutcomesOfClasses:
    def record(self, payments: Payments, answer: Any, label: Any) -> tuple[int, Any]:
        outcome = {
            "prediction_id": answer["prediction_id"],
            "label": label,
            "known_at": "2026-11-21T05:00:00Z",
        }
        return payments.post("/v1/outcomes", outcome)

    def test_an_outcome_is_the_name_of_a_class(self, payments: Payments) -> None:
        payments.champion("retry")
        answer = payments.ask("retry")
        status, recorded = self.record(payments, answer, "retry_in_1_day")
        assert (status, recorded["label"]) == (200, "retry_in_1_day")
        assert self.record(payments, answer, "retry_in_1_day")[1] == recorded
        row = in_parquet(payments, answer)
        assert (row["outcome"], row["outcome_class"]) == (None, "retry_in_1_day")

    @pytest.mark.parametrize("label", ["give_up", "", 1, 0, True, None, 0.5])
    def test_an_outcome_that_is_no_class_is_refused(self, payments: Payments, label: Any) -> None:
        payments.champion("retry")
        answer = payments.ask("retry")
        status, problem = self.record(payments, answer, label)
        assert (status, problem["errors"][0]["field"]) == (422, "label")
        assert payments.logged(answer).outcome is None

    @pytest.mark.parametrize("label", ["retry_now", "1", 2, True])
    def test_a_score_has_no_class_for_an_outcome(self, payments: Payments, label: Any) -> None:
        payments.champion("fraud")
        answer = payments.ask("fraud")
        assert self.record(payments, answer, label)[0] == 422
        assert self.record(payments, answer, 1)[0] == 200


class TestStrategiesByScore:
    """recovery: a score, its decision, and the strategy it reaches."""

    @pytest.mark.parametrize(
        ("score", "strategy"), [(0.1, "hold"), (0.25, "offer_instalments"), (0.75, "remind")]
    )
    def test_the_strategy_is_the_furthest_that_the_score_reaches(
        self, payments: Payments, score: float, strategy: str
    ) -> None:
        payments.champion("recovery", low=score)
        answer = payments.ask("recovery")
        assert answer.keys() == SHAPE | {"strategy", "wait_seconds"}
        assert (answer["score"], answer["strategy"]) == (pytest.approx(score), strategy)
        assert answer["decision"] in {"review", "pass"}
        assert payments.logged(answer).strategy == strategy
        assert payments.replay(answer)["identical"]

    def test_a_rule_sends_a_large_debt_to_a_person(self, payments: Payments) -> None:
        payments.champion("recovery", low=0.75)
        answer = payments.ask("recovery", amount_due_cents=100_001)
        assert answer["strategy"] == "ask_a_person"
        assert "LARGE_DEBT" in {reason["code"] for reason in answer["reason_codes"]}
