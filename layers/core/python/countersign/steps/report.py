"""Draw a stored record as an HTML page beside it: a run's evaluation, or a week's drift."""

from __future__ import annotations

from dataclasses import dataclass

from countersign.aws.lake import Lake
from countersign.aws.stores import Stores
from countersign.errors import FieldError, RequestError
from countersign.reports import drift, evaluation

HTML = "text/html; charset=utf-8"
KINDS = "evaluation (with run_id), drift (with week)"


@dataclass(frozen=True, slots=True)
class Request:
    """Which record to draw: an evaluation by its `run_id`, drift by its ISO `week`."""

    kind: str
    use_case: str
    run_id: str = ""
    week: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """Where the page lies, and in which bucket: `models` or `lake`."""

    report_key: str
    bucket: str
    bytes: int


def run(request: Request, stores: Stores) -> Result:
    """Draw. The same record gives the same bytes, so drawing twice changes nothing.

    Raises RequestError for an unknown kind or a missing key, NotFoundError when there is no record.
    """
    if request.kind == "evaluation" and request.run_id:
        folder = f"{request.use_case}/runs/{request.run_id}"
        html = evaluation.render(stores.artifacts.read_json(f"{folder}/evaluation.json"))
        return write(stores.artifacts, f"{folder}/report.html", html, bucket="models")
    if request.kind == "drift" and request.week:
        record = f"reports/{request.use_case}/drift/{request.week}"
        html = drift.render(stores.lake.read_json(f"{record}.json"))
        return write(stores.lake, f"{record}.html", html, bucket="lake")
    raise RequestError(f"A report is one of: {KINDS}", errors=[FieldError("kind", KINDS)])


def write(store: Lake, key: str, html: str, *, bucket: str) -> Result:
    """Put the page where its record lies."""
    body = html.encode()
    store.put(key, body, content_type=HTML)
    return Result(key, bucket, len(body))
