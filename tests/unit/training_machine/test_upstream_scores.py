"""What other models said, as a training set may know it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from countersign import use_cases
from countersign.errors import LeakageError
from countersign.features.spine import create_spine
from countersign.features.upstream import check_upstream

from tests.unit.use_cases.payments import facts_in
from tests.unit.use_cases.payroll import Facts, Row

RECOVERY = use_cases.get("recovery")
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    return facts_in(tmp_path)


def case(number: int, known_at: str, **changes: Any) -> Row:
    """A debt of the first of June, with what churn and retry said of it."""
    row = {
        "case_id": f"CASE-{number}", "failure_id": f"F-{number}", "customer_id": "CU-1",
        "country": "DE", "amount_due_cents": 2900, "days_past_due": 20, "attempts_made": 3,
        "churn_score": 0.25, "retry_score": 0.5, "opened_at": "2026-06-01T09:00:00Z",
        "known_at": f"{known_at}Z",
    }  # fmt: skip
    return row | changes


def checked(facts: Facts, *cases: Row) -> dict[str, Any]:
    facts.deliver("recovery_cases", list(cases))
    return check_upstream(facts.connection, RECOVERY, create_spine(facts.connection, RECOVERY, NOW))


def test_what_was_said_is_counted_and_what_was_not_said_stays_null(facts: Facts) -> None:
    said = checked(
        facts,
        case(1, "2026-06-01T09:00:00"),
        case(2, "2026-06-02T04:00:00"),
        case(3, "2026-06-01T09:00:00", churn_score=None),
    )
    assert said == {
        "churn": {"column": "churn_score", "stated": 2, "null": 1},
        "retry": {"column": "retry_score", "stated": 3, "null": 0},
    }


def test_a_score_added_by_a_later_correction_is_not_seen(facts: Facts) -> None:
    """The row counts as it was first known: without a score."""
    said = checked(
        facts,
        case(1, "2026-06-01T09:00:00", churn_score=None),
        case(1, "2026-07-20T09:00:00", churn_score=0.99),
    )
    assert said["churn"] == {"column": "churn_score", "stated": 0, "null": 1}


def test_a_score_that_came_weeks_after_its_row_is_hindsight(facts: Facts) -> None:
    with pytest.raises(LeakageError, match="1 scores of churn became known more than 1 day after"):
        checked(facts, case(1, "2026-07-20T09:00:00"), case(2, "2026-06-01T09:00:00"))


def test_a_late_row_without_scores_teaches_like_any_other(facts: Facts) -> None:
    said = checked(facts, case(1, "2026-07-20T09:00:00", churn_score=None, retry_score=None))
    assert said["retry"] == {"column": "retry_score", "stated": 0, "null": 1}
