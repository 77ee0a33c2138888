"""Who must sign, what a rollout's steps are, and what a guard makes of what it sees."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from countersign import use_cases
from countersign.declare import Gate, Rollout
from countersign.errors import ForbiddenError, RequestError, RoleError
from countersign.governance import permissions
from countersign.governance.approval_policy import (
    DEADLINES,
    SHORTEST_DEADLINE,
    deadline,
    required_roles,
)
from countersign.governance.experiment_policy import refuse_type, refuse_underpowered
from countersign.governance.rollout import GuardPolicy, Seen, cohort_steps, judge_guard
from countersign.http import ROLES
from countersign.steps.operate import ROUTES
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.registry.world import START


@pytest.mark.parametrize(
    ("kind", "approval_class", "roles"),
    [
        ("promotion", "standard", {"ml-engineer", "team-lead"}),
        ("promotion", "fraud", {"ml-engineer", "team-lead", "bsa-officer"}),
        ("promotion", "compliance", {"ml-engineer", "team-lead", "bsa-officer"}),
        ("threshold", "standard", {"ml-engineer", "bsa-officer"}),
        ("rule-weights", "standard", {"ml-engineer", "team-lead", "bsa-officer"}),
        ("retraining", "standard", {"data-scientist"}),
        ("retraining", "fraud", {"data-scientist"}),
    ],
)
def test_the_approval_matrix(kind: str, approval_class: str, roles: set[str]) -> None:
    assert set(required_roles(kind, approval_class)) == roles


def test_nothing_is_approved_by_nobody() -> None:
    with pytest.raises(RequestError):
        required_roles("deletion", "standard")


@pytest.mark.parametrize("use_case", use_cases.all_use_cases().values(), ids=lambda u: u.name)
@pytest.mark.parametrize("kind", sorted(DEADLINES))
def test_every_change_of_every_use_case_has_someone_to_sign_it(use_case, kind: str) -> None:  # type: ignore[no-untyped-def]
    assert required_roles(kind, use_case.approval_class)


def test_people_have_time_to_read_however_fast_the_clock_runs() -> None:
    assert deadline("promotion", START, 0.0) == START + SHORTEST_DEADLINE
    assert deadline("promotion", START, 1.0) == START + timedelta(days=7)


@given(
    st.integers(1, 40),
    st.lists(st.integers(1, 100).map(lambda n: Fraction(n, 100)), min_size=1, max_size=6),
)
def test_steps_grow_keep_the_declared_order_and_end_with_everyone(
    count: int, shares: list[Fraction]
) -> None:
    cohorts = tuple(f"c{n}" for n in range(count))
    shares.sort()
    steps = cohort_steps(
        Rollout(cohort_column="country", cohorts=cohorts, steps=tuple(float(s) for s in shares))
    )
    assert steps[-1] == list(cohorts)
    assert all(step == list(cohorts[: len(step)]) for step in steps)
    assert [len(s) for s in steps] == sorted({len(s) for s in steps})
    for share in shares:  # rounded up, in exact arithmetic
        assert -(-share * count // 1) in {len(s) for s in steps}


SEEN = Seen(answered=True, decision="pass", latency_ms=5.0)
GATES = (Gate("error_rate", at_most=0.01), Gate("latency_p95_ms", at_most=200.0))


@pytest.mark.parametrize(
    ("seen", "holds", "verdict"),
    [
        ([], 0, "advance"),
        ([SEEN] * 29, 0, "hold"),
        ([SEEN] * 29, 2, "advance"),
        ([SEEN] * 30, 0, "advance"),
        ([SEEN] * 99 + [replace(SEEN, answered=False)], 0, "advance"),
        ([SEEN] * 98 + [replace(SEEN, answered=False)] * 2, 0, "rollback"),
        ([replace(SEEN, answered=False)], 0, "hold"),
        ([replace(SEEN, answered=False)], 2, "rollback"),
        ([SEEN] * 90 + [replace(SEEN, latency_ms=500.0)] * 10, 0, "rollback"),
        ([SEEN, replace(SEEN, non_finite=True)], 0, "rollback"),
    ],
)
def test_a_guard_advances_holds_or_rolls_back(seen: list[Seen], holds: int, verdict: str) -> None:
    assert judge_guard(GATES, seen, holds=holds, policy=GuardPolicy()).verdict == verdict


def test_a_guard_on_a_metric_that_nobody_measures_never_holds() -> None:
    assert judge_guard((Gate("fairness", at_least=0),), [SEEN] * 50, holds=0).verdict == "rollback"


@pytest.mark.parametrize("route", sorted(ROUTES), ids=lambda r: f"{r[0]} {r[1]}")
@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_call_what_the_table_says_and_nothing_else(
    role: str, route: tuple[str, str]
) -> None:
    allowed = role in permissions.MAY_CALL[route]
    if allowed:
        permissions.refuse(*route, role)
    else:
        with pytest.raises(RoleError):
            permissions.refuse(*route, role)


def test_the_table_in_the_function_is_the_one_in_iam() -> None:
    from infra.routes import routes

    deployed = {(r.method, r.resource): r.roles for r in routes() if r.function == "operate"}
    assert deployed == permissions.MAY_CALL


def test_a_route_that_nobody_was_given_is_refused_to_all() -> None:
    for role in ROLES:
        with pytest.raises(RoleError):
            permissions.refuse("DELETE", "/v1/models", role)


def test_auditors_and_clients_change_nothing() -> None:
    for (method, _), roles in permissions.MAY_CALL.items():
        if method != "GET":
            assert not roles & {"auditor", "scoring-client"}


@pytest.mark.parametrize("test_type", ["ab", "canary", "percentage"])
def test_workers_are_never_randomised(test_type: str) -> None:
    with pytest.raises(ForbiddenError, match="never randomised"):
        refuse_type(use_cases.get("payroll_anomaly"), test_type)


def test_an_experiment_too_small_to_tell_is_refused_with_the_size_it_takes() -> None:
    with pytest.raises(RequestError, match="3826"):
        refuse_underpowered(3826, 100, 14)
    refuse_underpowered(3826, 1000, 14)
