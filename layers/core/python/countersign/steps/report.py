"""Draw stored records as an HTML page: a run's evaluation and its dataset, a week's drift, a day's quality."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from countersign.aws.lake import Lake
from countersign.aws.stores import Stores
from countersign.errors import FieldError, NotFoundError, RequestError
from countersign.reports import dataset, drift, evaluation, quality

HTML = "text/html; charset=utf-8"
KINDS = (
    "evaluation (with use_case, run_id), dataset (with use_case, dataset_id), "
    "drift (with use_case, week), quality (with day)"
)
_LOG = re.compile(r"quality/([^/]+)/date=(\d{4}-\d{2}-\d{2})/quality\.json")


@dataclass(frozen=True, slots=True)
class Request:
    """Which record to draw: an evaluation by `run_id`, a dataset by `dataset_id`, drift by its ISO
    `week`, the quality log by its `day`.
    """

    kind: str
    use_case: str = ""
    run_id: str = ""
    week: str = ""
    day: str = ""
    dataset_id: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """Where the page lies, and in which bucket: `models` or `lake`."""

    report_key: str
    bucket: str
    bytes: int


def run(request: Request, stores: Stores) -> Result:
    """Draw. The same record gives the same bytes, so drawing twice changes nothing.

    The page of an evaluation brings that of its dataset with it. Raises RequestError for an unknown
    kind or a missing key, NotFoundError when there is no record.
    """
    if request.kind == "evaluation" and request.use_case and request.run_id:
        return _evaluation(stores, request.use_case, request.run_id)
    if request.kind == "dataset" and request.use_case and request.dataset_id:
        return _dataset(stores, request.use_case, request.dataset_id)
    if request.kind == "drift" and request.use_case and request.week:
        record = f"reports/{request.use_case}/drift/{request.week}"
        html = drift.render(stores.lake.read_json(f"{record}.json"))
        return write(stores.lake, f"{record}.html", html, bucket="lake")
    if request.kind == "quality" and request.day:
        return _quality(stores, request.day)
    raise RequestError(f"A report is one of: {KINDS}", errors=[FieldError("kind", KINDS)])


def write(store: Lake, key: str, html: str, *, bucket: str) -> Result:
    """Put the page where its record lies."""
    body = html.encode()
    store.put(key, body, content_type=HTML)
    return Result(key, bucket, len(body))


def _evaluation(stores: Stores, use_case: str, run_id: str) -> Result:
    folder = f"{use_case}/runs/{run_id}"
    document = stores.artifacts.read_json(f"{folder}/evaluation.json")
    learned_from = document["dataset"].get("dataset_id", "")
    if learned_from and stores.lake.exists(f"datasets/{learned_from}/manifest.json"):
        _dataset(stores, use_case, learned_from)
    found = f"{folder}/search.json"
    search = stores.artifacts.read_json(found) if stores.artifacts.exists(found) else None
    html = evaluation.render(document, search=search)
    return write(stores.artifacts, f"{folder}/report.html", html, bucket="models")


def _dataset(stores: Stores, use_case: str, dataset_id: str) -> Result:
    """From the manifest, and from what was measured against the champion when it was frozen."""
    record = f"reports/{use_case}/dataset/{dataset_id}"
    manifest = stores.lake.read_json(f"datasets/{dataset_id}/manifest.json")
    if manifest["use_case"] != use_case:
        raise NotFoundError(f"{use_case} has no dataset {dataset_id}")
    found = stores.lake.read_json(f"{record}.json") if stores.lake.exists(f"{record}.json") else {}
    return write(stores.lake, f"{record}.html", dataset.render(manifest, found), bucket="lake")


def _quality(stores: Stores, day: str) -> Result:
    try:
        when = date.fromisoformat(day)
    except ValueError as error:
        raise RequestError(
            "A day is written 2026-11-21", errors=[FieldError("day", "a date, 2026-11-21")]
        ) from error
    first = (when - timedelta(days=quality.DAYS - 1)).isoformat()
    views: dict[str, list[Any]] = {}
    for key in stores.lake.keys("quality/"):
        named = _LOG.fullmatch(key)
        if named and first <= named[2] <= day:
            views.setdefault(named[1], []).append((named[2], key))
    logged = {
        view: [stores.lake.read_json(key) for _, key in found]
        for view, found in views.items()
        if found[-1][0] == day
    }
    if not logged:
        raise NotFoundError(f"No quality was logged on {day}")
    html = quality.render(day, logged)
    return write(stores.lake, f"reports/quality/{day}.html", html, bucket="lake")
