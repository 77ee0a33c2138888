"""Aggregations as SQL: one expression per feature over the standing rows of its window.

Rows are those of the stream (`_t` event time, `_known`, `_digest`, `_source`, the sources' columns),
`_e` is the moment asked for.
Nulls of an expression, and values that are not finite, are left out, except by `last` and
`percent_change`: there the newest (and the first) row decides, also when its value is null; and by
`rate`, whose rows without a value are no hits. No rows: `count` and `distinct` are 0, all else is null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from countersign.declare import Feature, FeatureView

DAY_US = 86_400_000_000
_ORDER = "(_t, _known, _digest)"
# Stored as the moment itself (microseconds since 1970, exact in a double) and served as days, because
# days since a moment change with the asking moment and not with any event.
MOMENTS = frozenset({"days_since", "days_since_first"})


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that an aggregate takes: those for which all of `where` holds, of the group or of the
    frame `over`.
    """

    where: tuple[str, ...]
    over: str = ""

    def __str__(self) -> str:
        frame = f" OVER ({self.over})" if self.over else ""
        return f"FILTER ({' AND '.join(self.where)}){frame}"

    def __and__(self, condition: str) -> Rows:
        return Rows((*self.where, condition), self.over)


def aggregate(view: FeatureView, feature: Feature, window: str) -> str:
    """The stored value of `feature` as a DOUBLE; `window` is SQL that says which rows lie in it."""
    return stored(unsettled(view, feature, Rows((window,))))


def unsettled(view: FeatureView, feature: Feature, rows: Rows) -> str:
    """The aggregate itself; `rows` say which of the stream's rows lie in its window."""
    for condition in conditions(view, feature):
        rows &= condition
    return _AGGREGATES[feature.aggregation](feature, rows)


def stored(value: str) -> str:
    """What is stored of the aggregate `value`: a finite number or null."""
    # A zero has one sign, or equal values would have different digests.
    return f"CASE WHEN {value} = 0 THEN 0.0::DOUBLE WHEN isfinite({value}) THEN {value} END"


def served(feature: Feature, stored: str, moment: str) -> str:
    """What a reader at `moment` (TIMESTAMP) sees of a stored value."""
    if feature.aggregation in MOMENTS:
        return f"(epoch_us({moment}) - {stored}) / {DAY_US}.0"
    return stored


def served_value(feature: Feature, stored: float, moment_us: int) -> float:
    """`served` in Python, bit for bit; `moment_us` in microseconds since 1970."""
    return (moment_us - stored) / DAY_US if feature.aggregation in MOMENTS else stored


def conditions(view: FeatureView, feature: Feature) -> list[str]:
    """In SQL over the stream, which rows concern `feature` at all, whatever its window."""
    source = feature.source or view.source.name
    only = [] if source == "*" or len(view.sources()) == 1 else [f"_source = '{source}'"]
    return only + ([f"({feature.where})"] if feature.where else [])


def _number(feature: Feature) -> str:
    """The expression as a finite number or null: by zero DuckDB divides to infinity and NaN."""
    value = f"({feature.expression})::DOUBLE"
    return f"(CASE WHEN isfinite({value}) THEN {value} END)"


def _simple(function: str, feature: Feature, rows: Rows) -> str:
    return f"({function}({_number(feature)}) {rows})"


def decimal(feature: Feature) -> str:
    """The expression with nine digits after the point; null when it is not finite."""
    return f"try_cast({feature.expression} AS DECIMAL(38, 9))"


def _exact_sum(feature: Feature, rows: Rows) -> str:
    """Summed as decimals: exact, so no order of rows and no thread changes a bit."""
    return f"(sum({decimal(feature)}) {rows})::DOUBLE"


def _mean(feature: Feature, rows: Rows) -> str:
    return f"({_exact_sum(feature, rows)} / count({decimal(feature)}) {rows})"


def _std(feature: Feature, rows: Rows) -> str:
    value = _number(feature)
    return _settled(f"stddev_samp({value}) {rows}", value, rows)


def _settled(value: str, of: str, rows: Rows) -> str:
    """`value` to nine digits of the scale of its rows: what lies below depends on their order."""
    scale = f"ceil(log10(nullif(max(abs({of})) {rows}, 0)))"
    return f"(round({value}, (9 - coalesce({scale}, 0))::INTEGER))"


def _count(feature: Feature, rows: Rows) -> str:
    """Counting rows reads as a rate's denominator does, so that DuckDB counts them once."""
    of = "*" if feature.expression == "1" else feature.expression
    return f"(count({of}) {rows})::DOUBLE"


def _rate(feature: Feature, rows: Rows) -> str:
    hit = f"({feature.expression})"
    hits = f"count(*) {rows & hit}"
    below = rows & f"({feature.denominator})" if feature.denominator else rows
    return f"({hits} / nullif(count(*) {below}, 0)::DOUBLE)"


def _trend(feature: Feature, rows: Rows) -> str:
    """Slope per 30 days; null when the facts span less than a day: that slope would be noise."""
    value = _number(feature)
    present = rows & f"{value} IS NOT NULL"
    months = f"((epoch_us(_t) - epoch_us(_e)) / {30 * DAY_US}.0)"
    span = f"max(_t) {present} - min(_t) {present}"
    slope = _settled(f"regr_slope({value}, {months}) {rows}", value, rows)
    return f"(CASE WHEN {span} >= INTERVAL 1 DAY THEN {slope} END)"


def _edge(function: str, feature: Feature, rows: Rows) -> str:
    return f"({function}(({feature.expression})::DOUBLE, {_ORDER}) {rows})"


def _percent_change(feature: Feature, rows: Rows) -> str:
    first, last = (_edge(f, feature, rows) for f in ("arg_min_null", "arg_max_null"))
    return f"(100.0 * ({last} - {first}) / nullif({first}, 0))"


def _moment(function: str, feature: Feature, rows: Rows) -> str:
    time = "_t" if feature.expression == "1" else feature.expression
    return f"(epoch_us({function}({time}) {rows}))::DOUBLE"


_AGGREGATES: Mapping[str, Callable[[Feature, Rows], str]] = {
    "mean": _mean,
    "std": _std,
    "sum": _exact_sum,
    "min": lambda f, rows: _simple("min", f, rows),
    "max": lambda f, rows: _simple("max", f, rows),
    "count": _count,
    "distinct": lambda f, rows: f"(count(DISTINCT {f.expression}) {rows})::DOUBLE",
    "rate": _rate,
    "trend": _trend,
    "last": lambda f, rows: _edge("arg_max_null", f, rows),
    "percent_change": _percent_change,
    "days_since": lambda f, rows: _moment("max", f, rows),
    "days_since_first": lambda f, rows: _moment("min", f, rows),
}
