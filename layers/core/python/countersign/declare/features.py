"""The words of data: sources, entities, views and features."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

ColumnType = Literal["string", "integer", "number", "boolean", "timestamp"]
NullPolicy = Literal["refuse", "keep", "zero"]
ViewKind = Literal["batch", "windowed"]
Aggregation = Literal[
    "mean", "std", "sum", "count", "min", "max", "rate", "distinct", "trend", "last",
    "days_since", "percent_change",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a source. `unit` says what a number is ("minor", "days", "share")."""

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
class Source:
    """A typed contract for deliveries. `event_time` and `known_at` name the columns of the two clocks.

    Rows with the same `key` are versions of one fact: the one known last, as of any moment, stands.
    `delivers` is the expected rows of one delivery (low, high), for the volume check.
    """

    name: str
    description: str
    owner: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    event_time: str
    known_at: str = "known_at"
    delivers: tuple[int, int] = (0, 10_000_000)

    def column(self, name: str) -> Column:
        """The column `name`. Raises KeyError."""
        return {c.name: c for c in self.columns}[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of event time that ends at the as-of moment.

    Calendar `months` count whole months back from the as-of day; a `duration` counts exactly.
    `include_current`: whether an event at the as-of moment itself counts.
    `delay`: facts younger than this do not count yet (late-known labels).
    """

    months: int = 0
    duration: timedelta = timedelta(0)
    include_current: bool = False
    delay: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature of a view: `aggregation` of `column` over `window`, of the rows where `where` holds.

    `expression` and `where` are SQL over the source's columns. `denominator` serves `rate`:
    the share of the window's rows for which `expression` holds when it is empty.
    """

    name: str
    description: str
    aggregation: Aggregation
    expression: str = "1"
    where: str = ""
    denominator: str = ""
    window: Window | None = None
    sla: timedelta = timedelta(days=35)
    critical: bool = False
    nulls: NullPolicy = "keep"
    valid: tuple[float, float] = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureView:
    """Features of one entity from one source.

    `ttl`: a value older than this, by event time, is not served and joins as null.
    """

    name: str
    entity: Entity
    source: Source
    description: str
    owner: str
    features: tuple[Feature, ...]
    kind: ViewKind = "windowed"
    ttl: timedelta = timedelta(days=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFeature:
    """A feature made at request time by `compute(request row, view features) -> float | None`.

    Training calls the same function, row by row, on the frozen spine.
    """

    name: str
    description: str
    owner: str
    compute: Callable[[Mapping[str, Any], Mapping[str, float | None]], float | None]
    critical: bool = False
    nulls: NullPolicy = "keep"
    valid: tuple[float, float] = (-math.inf, math.inf)
