"""The freshness gate: no score from a critical feature that is stale, missing or from the future.

A feature's age is that of the newest fact of its own source, so that a changed address does not make
old pay look fresh. Where the entity has no fact of that source yet (hired, not yet paid), the newest
fact of the view counts: somebody new is not stale.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from countersign.declare import Feature, FeatureView
from countersign.errors import FieldError, StaleFeatureError
from countersign.features.packing import Unpacked, microseconds, unpack

SKEW_SECONDS = 60.0
_DAY = 86_400.0


class Packed(Protocol):
    """An online row, as far as the gate needs it."""

    @property
    def packed(self) -> bytes: ...


def gate(
    views: Iterable[FeatureView], rows: Mapping[str, Packed | None], now: datetime
) -> dict[str, float]:
    """Ages in seconds: of each view's newest fact, and of each critical feature.

    `rows` holds the online row of each view by the view's name; None or absent is missing, as is a
    row that was packed under another definition. What is missing has no age.

    Raises
    ------
    StaleFeatureError      names every critical feature that may not be used, its age and its SLA
    """
    ages: dict[str, float] = {}
    wrong: list[FieldError] = []
    moment = microseconds(now)
    for view in views:
        held = rows.get(view.name)
        row = None if held is None else unpack(view, held.packed)
        if row is not None and row.newest is not None:
            ages[view.name] = (moment - row.newest) / 1e6
        for feature in view.features:
            if feature.critical:
                age = None if row is None else age_of(view, feature, row, moment)
                if age is not None:
                    ages[feature.name] = age
                wrong += _verdict(feature, age)
    if wrong:
        told = "; ".join(f"{error.field}: {error.expected}" for error in wrong)
        raise StaleFeatureError(f"Not fresh enough to score: {told}", errors=wrong)
    return ages


def age_of(view: FeatureView, feature: Feature, row: Unpacked, moment_us: int) -> float | None:
    """Seconds since the newest fact behind `feature`; negative when it lies in the future."""
    source = feature.source or view.source.name
    latest = None if source == "*" else row.latest.get(source)
    latest = row.newest if latest is None else latest
    return None if latest is None else (moment_us - latest) / 1e6


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
