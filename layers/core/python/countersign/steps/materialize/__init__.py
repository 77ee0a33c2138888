"""Bring the online store up to the offline one, never to older values."""

from __future__ import annotations

from dataclasses import dataclass

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.aws.telemetry import emit
from countersign.clock import parse_iso
from countersign.features.catalogue import view_named, views_of
from countersign.steps.materialize.bucket import materialize


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One bucket of one view. `full` writes every entity, not only those with newer history."""

    view: str
    as_of: str
    bucket: int = 0
    buckets: int = 1
    full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`skipped_older`: a newer or the same value stood already. `watermark`: all until then is online."""

    view: str
    bucket: int
    written: int
    skipped_older: int
    watermark: str


def run(request: Request, stores: Stores) -> Result:
    """Write the values that stand at `as_of` of the entities whose history grew since the watermark."""
    view = view_named(use_cases.registered(), request.view)
    if view.name not in views_of(use_cases.all_use_cases().values()):
        # Of what is only trained nothing is ever served.
        return Result(
            view=view.name, bucket=request.bucket, written=0, skipped_older=0, watermark=""
        )
    written, skipped, watermark = materialize(
        stores,
        view,
        as_of=parse_iso(request.as_of),
        bucket=request.bucket,
        buckets=request.buckets,
        full=request.full,
    )
    emit({"view": view.name}, {"RowsOnline": written, "RowsOlder": skipped})
    return Result(
        view=view.name,
        bucket=request.bucket,
        written=written,
        skipped_older=skipped,
        watermark=watermark,
    )
