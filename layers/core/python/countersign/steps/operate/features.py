"""The feature registry, and what the online store holds of an entity."""

from __future__ import annotations

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.declare import FeatureView
from countersign.errors import NotFoundError
from countersign.features.definition import registry_rows
from countersign.features.packing import serve, unpack
from countersign.http import HttpRequest, HttpResponse


def catalogue(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET /v1/features: every declared feature once, with the models that use it."""
    found: dict[tuple[str, str], dict[str, object]] = {}
    users: dict[tuple[str, str], set[str]] = {}
    for use_case in use_cases.all_use_cases().values():
        for row in registry_rows(use_case):
            key = (str(row["view"]), str(row["feature_name"]))
            users.setdefault(key, set()).update(row["models"])
            found[key] = {**row, "models": sorted(users[key])}
    return HttpResponse(200, {"features": [found[key] for key in sorted(found)]})


def values(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET /v1/features/{view}/{entity_id}: the values as they would be served now, and their clocks."""
    view, entity_id = find(request.path_params["view"]), request.path_params["entity_id"]
    key = (view.entity.name, entity_id, view.name)
    rows, _ = stores.online.read([key], consistent=True)
    row = rows.get(key)
    if row is None:
        raise NotFoundError(f"No {view.name} of this {view.entity.name}")
    now = stores.clock.now()
    return HttpResponse(
        200,
        {
            "view": view.name,
            "entity": view.entity.name,
            "entity_id": entity_id,
            "features": serve(view, unpack(view, row.packed), now),
            "as_of": iso(now),
            "event_time": row.event_at,
            "known_at": row.known,
            "written_at": row.written,
            "current_definition": unpack(view, row.packed) is not None,
        },
    )


def find(name: str) -> FeatureView:
    """The declared view. Raises NotFoundError."""
    views = {v.name: v for u in use_cases.all_use_cases().values() for v in u.views}
    if name not in views:
        raise NotFoundError(f"No feature view {name!r}; there are {', '.join(sorted(views))}")
    return views[name]
