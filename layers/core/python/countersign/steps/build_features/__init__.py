"""Compute feature views with both clocks, bucket by bucket, and keep their quality log.

Actions: `plan` {as_of?, asked?} → what to build; `build` {view, bucket, buckets, as_of}; `quality` {as_of}.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from countersign import use_cases
from countersign.aws.catalogue import Catalogue
from countersign.aws.stores import Stores
from countersign.aws.telemetry import emit
from countersign.clock import iso, parse_iso
from countersign.errors import DataError, RequestError
from countersign.features.catalogue import view_named, views_of
from countersign.features.definition import catalogue_rows, view_rows
from countersign.steps.build_features.blocking import block_scoring
from countersign.steps.build_features.bucket import build
from countersign.steps.build_features.log import log_quality
from countersign.steps.build_features.plan import Plan, plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`as_of` is ISO-8601 UTC; the plan's default is now.

    `asked`: the input of the machine, for the plan; `distribute` true spreads even a short one.
    """

    action: str
    as_of: str = ""
    view: str = ""
    bucket: int = 0
    buckets: int = 1
    asked: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """Rows appended for one bucket, and in how many parts; 0 when nothing is new.

    `points` were computed for it; `whole`: of the whole history, not only of what news touches.
    """

    view: str
    bucket: int
    rows: int
    parts: int
    points: int = 0
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """`views` by name: {rows, features, alerts}. `passed` without any alert."""

    as_of: str
    views: dict[str, Any]
    passed: bool
    alerts: list[str]


def run(request: Request, stores: Stores) -> Plan | Built | Quality:
    """Plan, build one bucket of one view, or log the quality of all of them."""
    declared = list(use_cases.all_use_cases().values())
    match request.action:
        case "plan":
            as_of = _moment(request.as_of, stores) if request.as_of else stores.clock.now()
            every = use_cases.registered()
            Catalogue.of(stores).register(catalogue_rows(every), view_rows(every))
            views = views_of(every).values()
            return plan(stores.lake, views, as_of=as_of, asked=request.asked)
        case "build":
            view = view_named(use_cases.registered(), request.view)
            if not 0 <= request.bucket < request.buckets:
                raise RequestError("The bucket must lie between 0 and the number of buckets")
            as_of = _moment(request.as_of, stores)
            work = build(stores, view, as_of=as_of, bucket=request.bucket, buckets=request.buckets)
            emit(
                {"view": view.name},
                {
                    "RowsAppended": work.rows,
                    "PointsComputed": work.points,
                    "Whole": float(work.whole),
                },
            )
            return Built(view=view.name, bucket=request.bucket, **asdict(work))
        case "quality":
            as_of = _moment(request.as_of, stores)
            found, alerts = log_quality(stores, views_of(declared).values(), as_of)
            block_scoring(stores, use_cases.all_use_cases().values(), as_of)
            return Quality(as_of=iso(as_of), views=found, passed=not alerts, alerts=alerts)
    raise RequestError("Expected one of the actions plan, build and quality")


def _moment(text: str, stores: Stores) -> datetime:
    as_of = parse_iso(text)
    if as_of > stores.clock.now():
        raise DataError("An as-of time in the future would promise what is not known yet")
    return as_of
