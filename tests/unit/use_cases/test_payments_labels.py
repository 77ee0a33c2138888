"""How payments end: late chargebacks, cancellations within a horizon, the strategy that brought the money."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from countersign import use_cases
from countersign.features.spine import create_spine

from .payments import (
    account_review,
    cancellation,
    chargeback,
    facts_in,
    failure,
    outcome,
    payment,
)
from .payroll import Facts


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    return facts_in(tmp_path)


def labels(facts: Facts, use_case: str, as_of: str) -> dict[str, Any]:
    """The label of each spine row by its id, in a dataset as of a moment."""
    declared = use_cases.get(use_case)
    moment = datetime.fromisoformat(as_of).replace(tzinfo=UTC)
    spine = create_spine(facts.connection, declared, moment)
    rows = facts.connection.execute(f"SELECT {declared.spine.key[0]}, label FROM {spine}")
    return dict(rows.fetchall())


def test_a_payment_is_labelled_after_60_days_by_what_is_known_then(facts: Facts) -> None:
    paid = "2026-06-01T12:00:00"
    facts.deliver("payments", [payment(1, paid, 100), payment(2, paid, 200)])
    facts.deliver(
        "chargebacks",
        [
            chargeback(1, 1, paid, "2026-07-01T00:00:00"),
            chargeback(2, 2, paid, "2026-08-05T00:00:00"),
        ],
    )
    assert labels(facts, "fraud", "2026-07-31T11:59:59") == {}
    assert labels(facts, "fraud", "2026-07-31T12:00:00") == {"PM-1": True, "PM-2": False}
    assert labels(facts, "fraud", "2026-08-05T00:00:00") == {"PM-1": True, "PM-2": True}


def test_churn_is_a_cancellation_after_the_review_and_within_60_days(facts: Facts) -> None:
    days = ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01"]
    facts.deliver("account_reviews", [account_review(n, day) for n, day in enumerate(days, 1)])
    facts.deliver("cancellations", [cancellation(1, "2026-04-02", "2026-04-04")])
    assert labels(facts, "churn", "2026-08-01") == {
        "AR-1": False,  # 91 days before
        "AR-2": True,  # 60 days before, to the day
        "AR-3": True,
        "AR-4": True,  # the day before
        "AR-5": False,  # came back
    }


def test_a_failure_has_the_class_that_stands_and_none_while_it_is_open(facts: Facts) -> None:
    facts.deliver("payment_failures", [failure(n, "2026-06-01") for n in (1, 2, 3)])
    settled = [
        outcome(1, "retry_in_1_day", "2026-06-02"),
        outcome(2, "retry_in_3_days", "2026-06-04"),
        outcome(2, "ask_for_new_method", "2026-06-04", known_at="2026-06-20T00:00:00Z"),
    ]
    facts.deliver("retry_outcomes", settled)
    assert labels(facts, "retry", "2026-07-15") == {
        "F-1": "retry_in_1_day",
        "F-2": "ask_for_new_method",  # the correction stands
    }


def test_what_happens_after_the_datasets_moment_is_unknown_to_it(facts: Facts) -> None:
    facts.deliver("account_reviews", [account_review(1, "2026-01-01")])
    facts.deliver("cancellations", [cancellation(1, "2026-02-01", "2026-04-01")])
    assert labels(facts, "churn", "2026-03-31") == {"AR-1": False}
    assert labels(facts, "churn", "2026-04-01") == {"AR-1": True}
