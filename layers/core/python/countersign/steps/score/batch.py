"""Score a file of bodies through the same code as a request. Every row is logged; bad rows are reported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from countersign.aws.stores import Stores
from countersign.errors import CountersignError, RequestError, TransientError
from countersign.serving.validate import idempotency_key, read_body
from countersign.steps.score import refused
from countersign.steps.score.answer import Asked, score_one
from countersign.steps.score.worker import Worker

TENANT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`input_key`: JSON lines of bodies in the lake. `first` and `count` choose lines, 0 for the rest."""

    use_case: str
    input_key: str
    action: str = "batch"
    first: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Where the answers and the refusals are, and how many of each."""

    use_case: str
    rows: int
    scored: int
    refused: int
    results_key: str
    refused_key: str


def run(request: Request, stores: Stores) -> Result:
    """Score the lines of `input_key`; running it twice gives the same answers and logs nothing twice.

    Raises TransientError when a store fails: the chunk is run again, and what was answered stands.
    """
    lines = stores.lake.get(request.input_key).decode("utf-8").splitlines()
    last = request.first + request.count if request.count else len(lines)
    answers: list[str] = []
    refusals: list[str] = []
    errors: list[CountersignError] = []
    for number, line in enumerate(lines[request.first : last], start=request.first):
        if not line.strip():
            continue
        try:
            answers.append(_score_line(line, number, request, stores))
        except TransientError:
            raise
        except CountersignError as error:
            refusals.append(_refusal(error, number))
            errors.append(error)
    folder = request.input_key.rpartition(".")[0] or request.input_key
    part = f"{request.first:09d}.jsonl"
    keys = (f"{folder}/scored/{part}", f"{folder}/refused/{part}")
    for key, rows in zip(keys, (answers, refusals), strict=True):
        stores.lake.put(key, "".join(f"{row}\n" for row in rows).encode())
    refused.tell(request.use_case, errors, stores)
    return Result(
        use_case=request.use_case,
        rows=len(answers) + len(refusals),
        scored=len(answers),
        refused=len(refusals),
        results_key=keys[0],
        refused_key=keys[1],
    )


def _score_line(line: str, number: int, request: Request, stores: Stores) -> str:
    try:
        body = json.loads(line)
    except ValueError as error:
        raise RequestError("The line is not JSON") from error
    row = read_body(Worker.of(stores).seat(request.use_case).fields, body, row=number)
    asked = Asked(
        use_case=request.use_case,
        body=body,
        row=row,
        key=_key(body, request.input_key, number),
        tenant=TENANT,
        request_id=f"batch-{number}",
    )
    return score_one(asked, stores)


def _key(body: Mapping[str, Any], input_key: str, number: int) -> str:
    """The body's own key, or one that the file and the line give: a second run meets it again."""
    if "idempotency_key" in body:
        return idempotency_key(body, {})
    return "batch-" + hashlib.sha256(f"{input_key}#{number}".encode()).hexdigest()[:32]


def _refusal(error: CountersignError, number: int) -> str:
    problem = error.problem(f"batch-{number}")
    return json.dumps({"row": number, **problem}, separators=(",", ":"))
