"""The definition of a feature value in plain Python, slow and obvious: what the engine is held against."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from countersign.declare import Feature, FeatureView, Window

TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Row:
    """One delivered row: a version of the fact `key`."""

    source: str
    key: str
    entity: str
    event_time: datetime
    known_at: datetime
    digest: str
    amount: int | None = None
    flag: bool = False
    deleted: bool = False
    team: str | None = None


# What `where`, `denominator` and the hit of a rate say in SQL, said in Python. A null is no yes.
CONDITIONS: Mapping[str, Callable[[Row], bool]] = {
    "": lambda row: True,
    "flag": lambda row: row.flag,
    "NOT flag": lambda row: not row.flag,
    "amount > 9": lambda row: row.amount is not None and row.amount > 9,
    "_source = 'pay'": lambda row: row.source == "pay",
}


def standing(rows: Sequence[Row], known: datetime) -> list[Row]:
    """Of each fact the version known last by `known`, tombstones gone."""
    last: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row.known_at <= known:
            held = last.get((row.source, row.key))
            if held is None or (held.known_at, held.digest) < (row.known_at, row.digest):
                last[row.source, row.key] = row
    return [row for row in last.values() if not row.deleted]


def in_window(window: Window | None, time: datetime, moment: datetime) -> bool:
    """Whether a fact of `time` counts at `moment`."""
    window = window or Window()
    anchor = moment - window.delay
    if time > anchor or (time == anchor and not window.include_current):
        return False
    if window.months:
        back = anchor.year * 12 + anchor.month - 1 - (window.months - 1)
        return time >= datetime(back // 12, back % 12 + 1, 1, tzinfo=UTC)
    if window.year_to_date:
        return time.year == anchor.year
    if window.duration:
        oldest = anchor - window.duration
        return time > oldest if window.include_current else time >= oldest
    return True


def value(
    view: FeatureView, feature: Feature, rows: Sequence[Row], entity: str, moment: datetime
) -> float | None:
    """The feature of `entity` at `moment` as known at `moment`."""
    mine = [r for r in standing(rows, moment) if r.entity == entity]
    newest = newest_fact(view, mine, moment)
    if newest is None or moment - newest > view.ttl:
        return None
    source = feature.source or view.source.name
    chosen = [r for r in mine if in_window(feature.window, r.event_time, moment)]
    chosen = [r for r in chosen if source in ("*", r.source)]
    chosen = [r for r in chosen if CONDITIONS[feature.where](r)]
    chosen.sort(key=lambda r: (r.event_time, r.known_at, r.digest))
    return aggregate(feature, chosen, moment)


def newest_fact(view: FeatureView, mine: Sequence[Row], moment: datetime) -> datetime | None:
    """The event time of the newest of an entity's standing facts that has entered any window."""
    return max((r.event_time for r in _counting(view, mine, moment)), default=None)


def carried(
    view: FeatureView, column: str, rows: Sequence[Row], entity: str, moment: datetime
) -> str | None:
    """The text of the newest fact that names one; for views with a window over all history."""
    mine = [r for r in standing(rows, moment) if r.entity == entity]
    named = [r for r in _counting(view, mine, moment) if getattr(r, column) is not None]
    last = max(named, key=lambda r: (r.event_time, r.known_at, r.digest), default=None)
    return None if last is None else str(getattr(last, column))


def _counting(view: FeatureView, mine: Sequence[Row], moment: datetime) -> list[Row]:
    windows = [f.window or Window() for f in view.features]
    return [r for r in mine if any(_entered(window, r.event_time, moment) for window in windows)]


def _entered(window: Window, time: datetime, moment: datetime) -> bool:
    anchor = moment - window.delay
    return time <= anchor if window.include_current else time < anchor


def aggregate(feature: Feature, rows: list[Row], moment: datetime) -> float | None:
    """`rows` are those of the window, in order; without any, a count is 0 and all else is null."""
    amounts = [r.amount for r in rows if r.amount is not None]
    if feature.aggregation == "distinct":
        return float(len(set(amounts)))
    if feature.aggregation == "count":
        return float(len(rows if feature.expression == "1" else amounts))
    if feature.aggregation == "rate":
        below = sum(CONDITIONS[feature.denominator](r) for r in rows)
        return sum(CONDITIONS[feature.expression](r) for r in rows) / below if below else None
    if feature.aggregation in OF_ROWS:
        return OF_ROWS[feature.aggregation](rows, moment) if rows else None
    return float(OF_AMOUNTS[feature.aggregation](amounts)) if amounts else None


def _percent_change(rows: list[Row], _: datetime) -> float | None:
    if rows[0].amount in (None, 0) or rows[-1].amount is None:
        return None
    return 100 * (rows[-1].amount - rows[0].amount) / rows[0].amount


def _last(rows: list[Row], _: datetime) -> float | None:
    return None if rows[-1].amount is None else float(rows[-1].amount)


def _std(rows: list[Row], _: datetime) -> float | None:
    amounts = [r.amount for r in rows if r.amount is not None]
    return statistics.stdev(amounts) if len(amounts) > 1 else None


def _slope(every: list[Row], _: datetime) -> float | None:
    rows = [r for r in every if r.amount is not None]
    moments = [r.event_time for r in rows]
    if not moments or max(moments) - min(moments) < timedelta(days=1):
        return None
    times = [(moment - moments[0]) / timedelta(days=30) for moment in moments]
    return statistics.linear_regression(times, [float(r.amount or 0) for r in rows]).slope


def _days(span: timedelta) -> float:
    return span / timedelta(days=1)


OF_ROWS: Mapping[str, Callable[[list[Row], datetime], float | None]] = {
    "days_since": lambda rows, moment: _days(moment - max(r.event_time for r in rows)),
    "days_since_first": lambda rows, moment: _days(moment - min(r.event_time for r in rows)),
    "last": _last,
    "percent_change": _percent_change,
    "std": _std,
    "trend": _slope,
}
OF_AMOUNTS: Mapping[str, Callable[[list[int]], float]] = {
    "mean": statistics.fmean,
    "sum": sum,
    "min": min,
    "max": max,
}


def same(left: float | None, right: float | None) -> bool:
    """Equal up to the order of summation."""
    if left is None or right is None:
        return left is right
    return math.isclose(left, right, rel_tol=1e-7, abs_tol=1e-6)
