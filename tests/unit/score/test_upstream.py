"""A use case whose inputs are other models' scores: asked here, stated by the caller, or null and said so."""

from __future__ import annotations

from typing import Any

import pytest
from countersign.aws.session import client

from tests.unit.score.payments_world import HIGH, MERCHANT, Payments, in_parquet
from tests.unit.score.pointers import pointer_item

REVIEW = {
    "review_id": "RV-1", "reviewed_at": "2026-11-20T09:00:00Z", "plan": "basic",
    "term": "monthly", "monthly_price_cents": 2900, "active_days_30d": 12,
    "support_tickets_30d": 0,
}  # fmt: skip


class TestUpstream:
    """recovery asks churn and retry of the same request, where it was not told what they said."""

    def body(self, payments: Payments, **more: Any) -> dict[str, Any]:
        return payments.body("recovery", churn_score=None, retry_score=None) | more

    def failure(self, payments: Payments) -> dict[str, Any]:
        retry = payments.body("retry", failed_at="2026-11-20T07:00:12Z")
        return {"merchant_id": MERCHANT, "failure": retry["failure"]}

    def test_the_champions_of_both_are_asked_and_the_log_holds_what_they_said(
        self, payments: Payments
    ) -> None:
        for name in ("churn", "retry", "recovery"):
            payments.champion(name)
        body = self.body(payments, review=REVIEW, **self.failure(payments))
        answer = payments.ask("recovery", body)
        logged = payments.logged(answer)
        assert answer["degraded"] == []
        assert logged.features["churn_score"] == pytest.approx(0.25)
        assert logged.features["retry_score"] == pytest.approx(max(HIGH))
        assert {n: said["version"] for n, said in logged.upstream.items()} == {
            "churn": "1.0.0", "retry": "1.0.0",
        }  # fmt: skip
        assert logged.upstream["retry"]["digest"] == payments.digests["retry", "1.0.0"]
        assert payments.replay(answer)["identical"]

    def test_what_the_model_sees_is_what_they_said(self, payments: Payments) -> None:
        payments.champion("churn", low=0.5)
        payments.publish("recovery", decisive="churn_score")
        payments.point("recovery")
        answer = payments.ask("recovery", self.body(payments, review=REVIEW))
        assert payments.logged(answer).features["churn_score"] == 0.5

    def test_replay_does_not_ask_them_again(self, payments: Payments) -> None:
        for name in ("churn", "recovery"):
            payments.champion(name)
        answer = payments.ask("recovery", self.body(payments, review=REVIEW))
        payments.publish("churn", "2.0.0", low=0.9)
        payments.point("churn", "2.0.0", epoch=2)
        assert payments.replay(answer)["identical"]

    def test_a_score_that_is_stated_stands(self, payments: Payments) -> None:
        for name in ("churn", "retry", "recovery"):
            payments.champion(name)
        answer = payments.ask("recovery")
        logged = payments.logged(answer)
        assert (logged.features["churn_score"], logged.features["retry_score"]) == (0.61, 0.22)
        assert (dict(logged.upstream), answer["degraded"]) == ({}, [])

    def test_without_what_they_need_they_are_not_asked(self, payments: Payments) -> None:
        for name in ("churn", "retry", "recovery"):
            payments.champion(name)
        answer = payments.ask("recovery", self.body(payments))
        assert answer["degraded"] == ["upstream-incomplete:churn", "upstream-incomplete:retry"]
        logged = payments.logged(answer)
        assert (logged.features["churn_score"], logged.features["retry_score"]) == (None, None)
        assert answer["model"]["version"] == "1.0.0"
        # The answer is still this version's own.
        assert in_parquet(payments, answer)["degraded"] is False

    def test_without_a_champion_their_score_is_null_and_the_answer_says_so(
        self, payments: Payments
    ) -> None:
        payments.champion("recovery")
        answer = payments.ask("recovery", self.body(payments, review=REVIEW))
        assert answer["degraded"][0] == "upstream-no-champion:churn"
        assert payments.logged(answer).features["churn_score"] is None

    def test_a_kill_switch_of_theirs_is_a_null_here(self, payments: Payments) -> None:
        for name in ("churn", "recovery"):
            payments.champion(name)
        payments.point("churn", kill_switch=True)
        answer = payments.ask("recovery", self.body(payments, review=REVIEW))
        assert answer["degraded"][0] == "upstream-kill-switch:churn"

    def test_a_failure_that_is_known_already_is_not_scored_anew(self, payments: Payments) -> None:
        """The baseline would hold what is scored: who asks late must state what was said."""
        for name in ("retry", "recovery"):
            payments.champion(name)
        late = self.failure(payments)
        late["failure"]["failed_at"] = "2026-10-01T07:00:12Z"  # the account's facts are younger
        answer = payments.ask("recovery", self.body(payments, **late))
        assert "upstream-stale:retry" in answer["degraded"]

    @pytest.mark.parametrize("broken", ["model.onnx", "manifest.sig"])
    def test_an_unverified_upstream_never_speaks(self, payments: Payments, broken: str) -> None:
        for name in ("churn", "recovery"):
            payments.champion(name)
        payments.stores.artifacts.put(f"churn/1.0.0/{broken}", b"forged")
        answer = payments.ask("recovery", self.body(payments, review=REVIEW))
        assert answer["degraded"][0] == "upstream-artifact-refused:churn"
        assert answer["model"]["version"] == "1.0.0"

    def test_an_upstream_without_a_score_is_a_null(self, payments: Payments) -> None:
        payments.champion("churn", decisive="active_days_30d")
        payments.champion("recovery")
        review = {**REVIEW, "active_days_30d": 10}  # where the small model gives NaN
        answer = payments.ask("recovery", self.body(payments, review=review))
        assert answer["degraded"][0] == "upstream-model-output-invalid:churn"

    def test_the_same_key_gets_the_same_answer_whatever_they_say_since(
        self, payments: Payments
    ) -> None:
        for name in ("churn", "recovery"):
            payments.champion(name)
        body = self.body(payments, review=REVIEW)
        first = payments.ask("recovery", body)
        client("dynamodb").put_item(TableName="registry", Item=pointer_item("churn"))
        assert payments.ask("recovery", body) == first
