"""The freshness gate: no score from a critical feature that is stale, missing or from the future.

A feature's age is that of the newest fact of its own source, so that a changed address does not make
old pay look fresh. Where the entity has no fact of that source yet (hired, not yet paid), the newest
fact of the view counts: somebody new is not stale.

A feature that is not critical blocks nothing; that it is overdue is told beside the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from countersign.declare import Feature, FeatureView
from countersign.errors import FieldError, StaleFeatureError
from countersign.features.packing import Unpacked, microseconds, unpack

SKEW_SECONDS = 60.0
# What `degraded` says of a feature that is not critical, and of a view whose rows are of other code.
STALE, FUTURE, REDEFINED = "stale", "future", "redefined"
OVERDUE = (f"{STALE}:", f"{FUTURE}:", f"{REDEFINED}:")
_DAY = 86_400.0


class Packed(Protocol):
    """An online row, as far as the gate needs it."""

    @property
    def packed(self) -> bytes: ...


class Freshness(NamedTuple):
    """Ages in seconds: of each view's newest fact, and of each critical feature. `overdue`: why degraded.

    `overdue` names features that are not critical, as `stale:<feature>` or `future:<feature>`, and
    views whose rows were packed under another definition, as `redefined:<view>`.
    """

    ages: dict[str, float]
    overdue: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Group:
    """The features of a view that read one source (None: any). `soonest`: the least SLA, in seconds."""

    source: str | None
    critical: tuple[Feature, ...]
    optional: tuple[Feature, ...]
    soonest: float


_groups: dict[int, tuple[FeatureView, tuple[_Group, ...]]] = {}


def gate(
    views: Iterable[FeatureView], rows: Mapping[str, Packed | None], now: datetime
) -> Freshness:
    """How fresh the features of `views` are.

    `rows` holds the online row of each view by the view's name; None or absent is missing, as is a
    row that was packed under another definition. What is missing has no age.

    Raises
    ------
    StaleFeatureError      names every critical feature that may not be used, its age and its SLA
    """
    ages: dict[str, float] = {}
    wrong: list[FieldError] = []
    overdue: list[str] = []
    moment = microseconds(now)
    for view in views:
        held = rows.get(view.name)
        row = None if held is None else unpack(view, held.packed)
        newest = None if row is None else row.newest
        if newest is not None:
            ages[view.name] = (moment - newest) / 1e6
        elif row is None and held is not None:
            overdue.append(f"{REDEFINED}:{view.name}")
        for group in _groups_of(view):
            age = None if row is None else _age(group.source, row, newest, moment)
            for feature in group.critical:
                if age is not None:
                    ages[feature.name] = age
                wrong += _verdict(feature, age)
            if age is not None and (age > group.soonest or age < -SKEW_SECONDS):
                overdue += _overdue(group.optional, age)
    if wrong:
        told = "; ".join(f"{error.field}: {error.expected}" for error in wrong)
        raise StaleFeatureError(f"Not fresh enough to score: {told}", errors=wrong)
    return Freshness(ages, tuple(overdue))


def age_of(view: FeatureView, feature: Feature, row: Unpacked, moment_us: int) -> float | None:
    """Seconds since the newest fact behind `feature`; negative when it lies in the future."""
    source = feature.source or view.source.name
    return _age(None if source == "*" else source, row, row.newest, moment_us)


def _groups_of(view: FeatureView) -> tuple[_Group, ...]:
    # By identity, as the definition's digest is kept: hashing a declaration costs more than the gate.
    known = _groups.get(id(view))
    if known is None or known[0] is not view:
        sources: dict[str | None, list[Feature]] = {}
        for feature in view.features:
            source = feature.source or view.source.name
            sources.setdefault(None if source == "*" else source, []).append(feature)
        groups = tuple(
            _Group(
                source,
                tuple(f for f in features if f.critical),
                tuple(f for f in features if not f.critical),
                min(f.sla.total_seconds() for f in features),
            )
            for source, features in sources.items()
        )
        known = _groups[id(view)] = (view, groups)
    return known[1]


def _age(source: str | None, row: Unpacked, newest: float | None, moment_us: int) -> float | None:
    """Seconds since the newest fact of `source`; negative when it lies in the future."""
    latest = None if source is None else row.latest.get(source)
    latest = newest if latest is None else latest
    return None if latest is None else (moment_us - latest) / 1e6


def _overdue(features: Iterable[Feature], age: float) -> list[str]:
    if age < -SKEW_SECONDS:
        return [f"{FUTURE}:{feature.name}" for feature in features]
    return [f"{STALE}:{f.name}" for f in features if age > f.sla.total_seconds()]


def _verdict(feature: Feature, age: float | None) -> list[FieldError]:
    sla = feature.sla.total_seconds()
    limit = f"at most {sla / _DAY:g} days old"
    if age is None:
        return [FieldError(feature.name, f"{limit}; it is missing")]
    if age < -SKEW_SECONDS:
        return [FieldError(feature.name, f"{limit}; it is {-age / _DAY:.2f} days in the future")]
    if age > sla:
        return [FieldError(feature.name, f"{limit}; it is {age / _DAY:.2f} days old")]
    return []
