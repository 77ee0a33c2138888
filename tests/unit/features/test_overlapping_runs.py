"""Two runs of the features machine at once: whatever they do in which order, online is what offline says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from countersign.aws.session import client
from countersign.clock import iso
from countersign.features.parts import history_prefix
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.unit.use_cases.payroll import slip

from .cloud import Cloud
from .oracle import same
from .store import Store

VIEW = "country_pay"
_countries = count(1)
# Of how many days ago the run is that builds or materializes: it was planned then.
lags = st.sampled_from([0, 0, 1])
# A step: what comes, and of deliveries: which fact of which country, paid how long ago, how much, withdrawn or
# not, and delivered how many days after it was known.
steps = st.one_of(
    st.tuples(
        st.just("deliver"),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["s1", "s2"]),
        st.sampled_from([0, 3, 40]),
        st.integers(1, 5),
        st.sampled_from([False, False, True]),
        st.sampled_from([0, 0, 2, 30]),
    ),
    st.tuples(st.just("compute"), lags),
    st.tuples(st.just("land"), st.integers(0, 3)),
    st.tuples(st.just("materialize"), lags),
    st.tuples(st.just("disturbed"), st.integers(1, 4), st.integers(0, 3)),
    st.tuples(st.just("wait"), st.sampled_from([1, 40])),
)


@dataclass
class Overlap:
    """Builds that have computed, and whose writes have not landed yet; each lands in its own order."""

    store: Store
    own: str
    under_way: list[list[tuple[str, bytes]]] = field(default_factory=list)

    def country(self, name: str) -> str:
        return f"{name}-{self.own}"

    def take(self, step: tuple[Any, ...]) -> None:
        self.store.aws.clock.at += timedelta(seconds=1)
        match step:
            case ("deliver", country, *said):
                self.deliver(self.country(country), *said)
            case ("compute", lag):
                self.compute(lag)
            case ("land", which):
                self.land(which)
            case ("materialize", lag):
                self.store.materialize(VIEW, as_of=self.ago(lag))
            case ("disturbed", call, which):
                with self.meanwhile(call, which):
                    self.store.materialize(VIEW)
            case ("wait", days):
                self.store.aws.clock.at += timedelta(days=days)

    def deliver(
        self, country: str, fact: str, days: int, amount: int, withdrawn: bool, late: int
    ) -> None:
        now = self.store.aws.clock.at
        row = slip(
            0, f"{now - timedelta(days=days):%Y-%m-%d}", 100_000 * amount, _deleted=withdrawn,
            payslip_id=f"{country}-{fact}", country=country, known_at=iso(now - timedelta(days=late)),
        )  # fmt: skip
        assert self.store.deliver("payslips", [row]).status in {"accepted", "duplicate"}

    def ago(self, days: int) -> str:
        return iso(self.now - timedelta(days=days))

    def compute(self, lag: int) -> None:
        """A build that read what is there, and whose writes are on their way."""
        lake = self.store.stores.lake
        written = ("offline/", "builds/")
        before = {key: lake.get(key) for prefix in written for key in lake.keys(prefix)}
        self.store.build(VIEW, as_of=self.ago(lag))
        after = {key: lake.get(key) for prefix in reversed(written) for key in lake.keys(prefix)}
        wrote = [(key, body) for key, body in after.items() if before.get(key) != body]
        for key, _ in wrote:
            lake.put(key, before[key]) if key in before else lake.delete(key)
        self.under_way.append(sorted(wrote, key=lambda one: not one[0].startswith("offline/")))

    def land(self, which: int) -> None:
        """The next write of a build arrives."""
        waiting = [writes for writes in self.under_way if writes]
        if waiting:
            self.store.stores.lake.put(*waiting[which % len(waiting)].pop(0))

    @contextmanager
    def meanwhile(self, call: int, which: int) -> Iterator[None]:
        """At the `call`-th write of a materialization a part lands, and another materialization runs."""
        calls = [0]

        def happen(**_: Any) -> None:
            calls[0] += 1
            if calls[0] == call:
                self.land(which)
                self.store.materialize(VIEW)

        events = client("dynamodb").meta.events
        events.register("before-call.dynamodb.PutItem", happen)
        try:
            yield
        finally:
            events.unregister("before-call.dynamodb.PutItem", happen)

    def finish(self) -> None:
        while any(self.under_way):
            self.land(0)
        self.store.aws.clock.at += timedelta(seconds=1)
        self.store.materialize(VIEW)

    def agrees(self) -> None:
        """Online is offline as of now, for every country."""
        for name in ("a", "b"):
            offline = self.store.offline(self.country(name), self.now, VIEW) if self.any() else {}
            online = self.store.online(self.country(name), VIEW)
            for feature, wanted in offline.items():
                assert same(online[feature], wanted), (name, feature, online, offline)

    def next_run_heals(self) -> None:
        """A build upon all of that says what a build from nothing says."""
        lake = self.store.stores.lake
        self.store.refresh(VIEW)
        grown, held = self.store.standing(VIEW) if self.any() else {}, {}
        for prefix in (history_prefix(VIEW), "builds/"):
            for key in lake.keys(prefix):
                held[key] = lake.get(key)
                lake.delete(key)
        self.store.build(VIEW)
        anew = self.store.standing(VIEW) if self.any() else {}
        assert anew.items() <= grown.items()
        for key in lake.keys(history_prefix(VIEW)):
            lake.delete(key)
        for key, body in held.items():
            lake.put(key, body)

    @property
    def now(self) -> datetime:
        return self.store.aws.clock.at

    def any(self) -> bool:
        return bool(self.store.stores.lake.keys(history_prefix(VIEW)))


def clear(aws: Cloud) -> None:
    """One account for all examples: moto takes long to make one."""
    for prefix in ("offline/", "builds/", "sources/"):
        for key in aws.stores.lake.keys(prefix):
            aws.stores.lake.delete(key)
    for table in ("online", "registry"):
        for item in aws.items(table):
            names = {name: item[name] for name in ("pk", "sk")}
            client("dynamodb").delete_item(TableName=table, Key=names)


def fact(country: str, *, late: int = 0) -> tuple[Any, ...]:
    return ("deliver", country, "s1", 3, 2, False, late)


LANDED = [("land", 0), ("land", 0)]
# The later run computes before the earlier one does, and its part lies in the lake after the other's.
OVERTAKEN = [
    *[fact("a"), ("compute", 0), *LANDED, ("materialize", 0), ("wait", 40)],
    *[("deliver", "a", "s2", 3, 5, False, 0), ("compute", 0)],
    *[fact("b", late=2), ("compute", 1), ("land", 1), ("land", 1), ("materialize", 1), *LANDED],
]


@settings(
    deadline=None,
    max_examples=8,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@example(life=OVERTAKEN)
@given(life=st.lists(steps, min_size=4, max_size=14))
def test_online_equals_offline_after_any_interleaving_of_overlapping_runs(
    aws: Cloud, life: Sequence[tuple[Any, ...]]
) -> None:
    clear(aws)
    overlap = Overlap(Store(aws), str(next(_countries)))
    for step in life:
        overlap.take(step)
    overlap.finish()
    overlap.agrees()
    assert overlap.store.materialize(VIEW).written == 0
    overlap.next_run_heals()
    overlap.agrees()
