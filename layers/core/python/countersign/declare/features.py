"""The words of data: sources, entities, views and features."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

ColumnType = Literal["string", "integer", "number", "boolean", "date", "timestamp"]
NullPolicy = Literal["refuse", "keep", "zero", "fill"]
ViewKind = Literal["batch", "windowed"]
Refresh = Literal["real-time", "daily", "weekly"]
Aggregation = Literal[
    "mean", "std", "sum", "count", "min", "max", "rate", "distinct", "trend", "last",
    "days_since", "days_since_first", "percent_change",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a source. `unit` says what a number is ("minor", "days", "share").

    A `timestamp` states its time zone; a `date` is a calendar day (or a zoned timestamp) and stands
    for its midnight in UTC.
    """

    name: str
    type: ColumnType
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()
    unit: str = ""
    personal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A thing that features describe. `key` is its column in every source that mentions it."""

    name: str
    key: str
    buckets: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicy:
    """When a whole delivery is flagged, and when it is put aside: against the accepted ones before it.

    `rows`: relative change against the middle one. `mean`: shift of a column's mean in standard
    deviations of the earlier rows. `nulls`: rise of a column's share of nulls. `outliers`: share of rows
    far outside a column's quartiles. `repeats`: share of rows that tell another's facts under a new key;
    one is enough for a flag. Judged once there are `history` deliveries and `fewest` rows.
    """

    rows_flag: float = 0.5
    rows_refuse: float = math.inf
    mean_flag: float = 1.0
    mean_refuse: float = math.inf
    nulls_flag: float = 0.3
    nulls_refuse: float = math.inf
    outliers_flag: float = 0.05
    outliers_refuse: float = math.inf
    repeats_refuse: float = math.inf
    history: int = 3
    fewest: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A typed contract for deliveries. `event_time` and `known_at` name the columns of the two clocks.

    Rows with the same `key` are versions of one fact: the one known last, as of any moment, stands.
    `delivers` is the expected rows of one delivery (low, high), for the volume check.
    `ahead`: how far `event_time` may lie after the moment of ingestion (a raise announced for next
    month); a row further ahead is quarantined. A delivery may carry two columns more: `_deleted`
    (true is a tombstone: the fact is withdrawn) and `_synthetic` (the taint).
    `delivery`: when a delivery as a whole is odd. `same`: columns in which two facts with different keys
    are the same fact told twice; empty where that may be.
    """

    name: str
    description: str
    owner: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    event_time: str
    known_at: str = "known_at"
    delivers: tuple[int, int] = (0, 10_000_000)
    ahead: timedelta = timedelta(0)
    delivery: DeliveryPolicy = DeliveryPolicy()
    same: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """The column `name`. Raises KeyError."""
        return {c.name: c for c in self.columns}[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of event time that ends at the as-of moment, in UTC. State one span, or none: all history.

    Calendar `months`: the as-of month and the `months - 1` before it, so June's six are January to
    June. `year_to_date`: since 1 January of the as-of year. A `duration` counts exactly.
    `include_current`: whether an event at the as-of moment itself counts.
    `delay`: the whole window lies this much earlier; younger facts do not count yet (late-known
    labels).
    """

    months: int = 0
    year_to_date: bool = False
    duration: timedelta = timedelta(0)
    include_current: bool = False
    delay: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature of a view: `aggregation` of `expression` over `window`, of the rows where `where` holds.

    `source` names the one of the view's sources whose rows count; empty: the view's first, `*`: all.
    `expression` and `where` are SQL over the columns of the sources, and `_source` is the name of a
    row's source. `denominator` serves `rate`: rows for which `expression` holds per row for which
    `denominator` holds, all of the window's rows when it is empty. For `days_since` and
    `days_since_first` the expression is a date or timestamp column, the event time when it is "1".
    No `window` is all history before the as-of moment. `trend` is a slope per 30 days.
    `sla`: the newest fact of its source may be this old when a request is scored.
    `nulls`: what a model is given for a null: `zero`, the declared `fill`, or (keep) NaN;
    `refuse` makes a null block.
    """

    name: str
    description: str
    aggregation: Aggregation
    expression: str = "1"
    where: str = ""
    denominator: str = ""
    source: str = ""
    window: Window | None = None
    sla: timedelta = timedelta(days=35)
    critical: bool = False
    nulls: NullPolicy = "keep"
    fill: float = 0.0
    valid: tuple[float, float] = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureView:
    """Features of one entity from one source, or from several whose rows form one stream (`also`).

    `ttl`: a value whose newest fact is older than this is not served and joins as null.
    `refresh`: how often the features are computed and materialized.
    `carries`: text columns of the newest fact that names them, kept beside the features: the ids of
    the other entities that a request about this one needs.
    """

    name: str
    entity: Entity
    source: Source
    description: str
    owner: str
    features: tuple[Feature, ...]
    also: tuple[Source, ...] = ()
    carries: tuple[str, ...] = ()
    kind: ViewKind = "windowed"
    refresh: Refresh = "daily"
    ttl: timedelta = timedelta(days=400)

    def sources(self) -> tuple[Source, ...]:
        """The source, then the others of the stream."""
        return (self.source, *self.also)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFeature:
    """A feature made at request time by `compute(request row, view features) -> float | None`.

    Training calls the same function, row by row, on the frozen spine. The row has the names of the
    spine source's columns (the last part of a request field's path); dates are ISO text in both.
    `categories`: the feature is the place of a text in this tuple, as a float; a text that is not in
    it is `len(categories)`, so a new brand is scored and seen as new. Empty: the feature is a number.
    """

    name: str
    description: str
    owner: str
    compute: Callable[[Mapping[str, Any], Mapping[str, float | None]], float | None]
    critical: bool = False
    nulls: NullPolicy = "keep"
    fill: float = 0.0
    valid: tuple[float, float] = (-math.inf, math.inf)
    categories: tuple[str, ...] = ()
