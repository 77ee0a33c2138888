"""The feature registry, and what the online store holds of an entity."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from countersign import use_cases
from countersign.aws.catalogue import Catalogue
from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.declare import FeatureView
from countersign.errors import NotFoundError
from countersign.features.catalogue import view_named
from countersign.features.definition import catalogue_digest, view_rows
from countersign.features.freshness import SKEW_SECONDS, age_of
from countersign.features.packing import Unpacked, microseconds, serve, unpack
from countersign.http import HttpRequest, HttpResponse


def catalogue(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET /v1/features: what is on record, retired features among it, and what this code declares.

    `declared` is the definition digest of each view of the deployed code; `catalogue_digest` is that
    of everything it would put on record.
    """
    record = Catalogue.of(stores)
    views, (declared, digest) = record.views(), deployed()
    return HttpResponse(
        200,
        {
            "features": [row for view in views for row in record.features(str(view["view"]))],
            "views": views,
            "declared": dict(declared),
            "catalogue_digest": digest,
        },
    )


@cache
def deployed() -> tuple[Mapping[str, str], str]:
    """The definition digest of each view of this code, and that of its whole catalogue; it never changes."""
    every = use_cases.registered()
    return {row["view"]: row["definition"] for row in view_rows(every)}, catalogue_digest(every)


def values(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET /v1/features/{view}/{entity_id}: the values as they would be served now, and their clocks.

    `freshness` has for each feature its age and the age it may have, in seconds, and the verdict of
    the gate: fresh, stale, missing or future.
    """
    view = view_named(use_cases.registered(), request.path_params["view"])
    entity_id = request.path_params["entity_id"]
    key = (view.entity.name, entity_id, view.name)
    rows, _ = stores.online.read([key], consistent=True)
    row = rows.get(key)
    if row is None:
        raise NotFoundError(f"No {view.name} of this {view.entity.name}")
    now, held = stores.clock.now(), unpack(view, row.packed)
    return HttpResponse(
        200,
        {
            "view": view.name,
            "entity": view.entity.name,
            "entity_id": entity_id,
            "features": serve(view, held, now),
            "freshness": freshness(view, held, now),
            "as_of": iso(now),
            "event_time": row.event_at,
            "known_at": row.known,
            "written_at": row.written,
            "current_definition": held is not None,
        },
    )


def freshness(view: FeatureView, held: Unpacked | None, now: datetime) -> dict[str, Any]:
    """Per feature {age_seconds, sla_seconds, verdict, critical}, as the gate of a score judges it."""
    moment = microseconds(now)
    found = {}
    for feature in view.features:
        age = None if held is None else age_of(view, feature, held, moment)
        sla = feature.sla.total_seconds()
        found[feature.name] = {
            "age_seconds": age,
            "sla_seconds": sla,
            "verdict": verdict(age, sla),
            "critical": feature.critical,
        }
    return found


def verdict(age: float | None, sla: float) -> str:
    """What the gate says of an age."""
    if age is None:
        return "missing"
    if age < -SKEW_SECONDS:
        return "future"
    return "stale" if age > sla else "fresh"
