"""The feature vector of one request: which rows to read, and what they become once read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from countersign.declare import Feature, FeatureView, RequestFeature, UseCase
from countersign.errors import DataError, FieldError, HindsightError, NotFoundError
from countersign.features.freshness import gate
from countersign.features.packing import Unpacked, microseconds, serve, unpack
from countersign.features.request_time import as_of, compute

Rows = Mapping[Any, "OnlineRow"]  # by (entity, id, view)


class OnlineRow(Protocol):
    """One view's row of one entity, as the online store gives it."""

    @property
    def packed(self) -> bytes: ...

    @property
    def ids(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Vector:
    """Every feature of a request, the model's inputs first and in order; ages in seconds by view.

    `overdue`: what of it is degraded, though not critical (`features.freshness.Freshness`).
    """

    features: dict[str, float | None]
    ages: dict[str, float]
    overdue: tuple[str, ...] = ()


def settle_ids(use_case: UseCase, row: Mapping[str, Any], values: Rows) -> dict[str, Any]:
    """`row` with the id of every entity: as stated, and as the first entity's record carries it.

    The first entity must be on record. Another need not be, so that a new customer or a guest is scored
    with nulls, if none of its features is critical or refuses them; but its id must be known.

    Raises
    ------
    NotFoundError   the online store knows nothing of the first entity
    DataError       the request states another id than the record carries, or neither names one
    """
    first = use_case.entities[0].name
    rows = [found for key, found in values.items() if key[0] == first]
    if not rows:
        raise NotFoundError(f"No such {first}")
    carried = {name: value for found in rows for name, value in found.ids.items()}
    wrong: list[FieldError] = []
    ids: dict[str, str | None] = {}
    for entity in use_case.entities[1:]:
        stated, on_record = row.get(entity.key), carried.get(entity.key)
        if stated is not None and on_record is not None and stated != on_record:
            expected = f"the {entity.name} that this {first} has on record, or nothing"
            wrong.append(FieldError(entity.key, expected))
        ids[entity.key] = on_record if stated is None else stated
        if ids[entity.key] is None:  # nobody says whose features they would be
            wrong.append(
                FieldError(entity.key, f"an id: the {first}'s record names no {entity.name}")
            )
    if wrong:
        raise DataError(f"Ids of the request do not go with the {first}'s record", errors=wrong)
    return {**row, **ids}


def whole_vector(
    use_case: UseCase,
    row: Mapping[str, Any],
    values: Rows,
    now: datetime,
) -> Vector:
    """The vector of one request, whole, or an error that says why there is none.

    `row` is of `settle_ids`.

    Raises
    ------
    StaleFeatureError   a critical feature is missing, past its SLA, or from the future: of now, or of
                        the moment that the request is about
    DataError           a feature that refuses nulls is null
    """
    rows = {key[2]: found for key, found in values.items()}
    freshness = gate(use_case.views, rows, now)
    moment = as_of(use_case, row)
    views: dict[str, float | None] = {}
    for view in use_case.views:
        held = unpack(view, rows[view.name].packed) if view.name in rows else None
        refuse_hindsight(use_case, view, held, moment)
        views |= serve(view, held, moment)
    named = views | compute(use_case, row, views)
    ordered = {name: named[name] for name in use_case.inputs} | named
    declared: list[Feature | RequestFeature] = [
        *(f for view in use_case.views for f in view.features),
        *use_case.request_features,
    ]
    refused = [f.name for f in declared if f.nulls == "refuse" and named[f.name] is None]
    if refused:
        raise DataError(
            f"Features have no value and may not be without: {', '.join(refused)}",
            errors=[FieldError(name, "a value") for name in refused],
        )
    return Vector(ordered, freshness.ages, freshness.overdue)


def refuse_hindsight(
    use_case: UseCase, view: FeatureView, held: Unpacked | None, moment: datetime
) -> None:
    """Refuse a baseline that already knows facts like the scored one, of its moment or later.

    What is scored never enters its own baseline. Raises HindsightError.
    """
    if held is None or view.entity != use_case.entities[0]:
        return
    latest = held.latest.get(use_case.spine.name)
    if latest is None or latest < microseconds(moment):
        return
    wrong = [
        FieldError(f.name, f"{use_case.spine.name} before this {use_case.spine.event_time} only")
        for f in view.features
        if f.critical
    ]
    if wrong:
        raise HindsightError(
            f"The features know {use_case.spine.name} of this {use_case.spine.event_time} or later; "
            "score before it is delivered",
            errors=wrong,
        )
