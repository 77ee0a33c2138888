"""Random lives through the whole store: what was online at each moment is what history says of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.use_cases.payroll import change, slip

from .cloud import Cloud
from .oracle import same
from .store import Store

_workers = count(1)
# A step: days that pass, then facts (which one, paid how many days ago, gross pay, withdrawn).
facts = st.tuples(
    st.sampled_from(["s1", "s2", "s3", "change"]),
    st.sampled_from([0, 1, 20, 31, 200]),
    st.integers(0, 5).map(lambda n: 100_000 * n),
    st.sampled_from([False, False, False, True]),
)
steps = st.tuples(st.sampled_from([1, 9, 31, 150]), st.lists(facts, max_size=3))


@settings(
    deadline=None,
    max_examples=5,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(life=st.lists(steps, min_size=2, max_size=4))
def test_online_at_t_equals_offline_as_of_t_through_random_lives(
    aws: Cloud, life: Sequence[tuple[int, list[tuple[str, int, int, bool]]]]
) -> None:
    """Late rows, corrections, tombstones and the passing of time, each built upon what was built before.

    Every fact is known when it is delivered, so what a moment was served stays what it was.
    """
    store, worker = Store(aws), f"L-{next(_workers)}"
    store.deliver("payslips", [slip(1, "2026-09-30", 100, payslip_id=f"{worker}-other")])
    seen: list[tuple[datetime, dict[str, Any]]] = []
    for days, delivered in life:
        aws.clock.at += timedelta(days=days)
        for kind, ago, gross, withdrawn in delivered:
            deliver(store, worker, kind, ago, gross, withdrawn=withdrawn)
        store.refresh()
        seen.append((aws.clock.at, store.online(worker)))
    aws.clock.at += timedelta(days=1)
    for moment, served in seen:
        offline = store.offline(worker, moment)
        assert offline.keys() == served.keys()
        assert all(same(offline[name], served[name]) for name in served), (moment, offline, served)


def deliver(store: Store, worker: str, kind: str, ago: int, gross: int, *, withdrawn: bool) -> None:
    """One file of one row, known now; a second one of the same fact is a version."""
    now = store.aws.clock.at
    store.aws.clock.at += timedelta(seconds=1)  # two versions are not known at once
    day = f"{now - timedelta(days=ago):%Y-%m-%d}"
    changed = {"worker_id": worker, "known_at": now.isoformat(), "_deleted": withdrawn}
    if kind == "change":
        store.deliver("worker_changes", [change(1, "raise", day, **changed, change_id=worker)])
    else:
        made = slip(
            1, day, gross, **changed, payslip_id=f"{worker}-{kind}", net_pay_minor=gross // 2
        )
        store.deliver("payslips", [made])
