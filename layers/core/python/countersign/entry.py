"""From a Lambda event to a step and back: the only place where a worker builds its stores.

Nothing of the event is logged: it may carry pay data. What is logged: the function, the outcome,
the milliseconds and the request id.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, fields
from functools import cache
from typing import Any

from countersign.aws import telemetry
from countersign.aws.faults import as_transient
from countersign.aws.stores import Stores
from countersign.errors import CountersignError, FieldError, NotFoundError, RequestError
from countersign.http import HttpRequest, HttpResponse, caller_from, problem_response

Handler = Callable[[dict[str, Any], Any], Any]
Route = Callable[[HttpRequest, Stores], HttpResponse]


@cache
def worker_stores() -> Stores:
    """The stores of this worker, built at its first request."""
    return Stores.from_environment()


def entrypoint(request_type: type[Any], run: Callable[[Any, Stores], Any]) -> Handler:
    """A handler for a step: event → `request_type` → `run` → plain JSON."""

    def handler(event: dict[str, Any], context: Any) -> Any:
        started = time.perf_counter()
        outcome = "ok"
        try:
            return to_json(run(parse(request_type, event), worker_stores()))
        except CountersignError as error:
            outcome = type(error).__name__
            raise catchable(error) from error
        except Exception as error:
            outcome = f"unexpected {type(error).__name__} at {where(error)}"
            if transient := as_transient(error):
                raise catchable(transient) from error
            raise
        finally:
            log_line(run.__module__, outcome, started, context)

    return handler


def catchable(error: CountersignError) -> CountersignError:
    """The error as the class that state machines catch: the one right below CountersignError.

    Lambda reports the exact class name, so a subclass would slip past a Catch that names its parent.
    """
    lineage = [c for c in type(error).__mro__ if issubclass(c, CountersignError)]
    if len(lineage) <= 2:  # the root itself, or a family right below it
        return error
    family: type[CountersignError] = lineage[-2]
    return family(f"{type(error).__name__}: {error.detail}", errors=error.errors)


def stream(run: Callable[[list[dict[str, Any]], Stores], list[str]]) -> Handler:
    """A handler for a queue or stream batch: `run(records, stores)` returns ids to be redelivered."""

    def handler(event: dict[str, Any], context: Any) -> Any:
        started = time.perf_counter()
        failed = run(event["Records"], worker_stores())
        log_line(run.__module__, f"failed={len(failed)}" if failed else "ok", started, context)
        return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}

    return handler


def api(routes: Mapping[tuple[str, str], Route]) -> Handler:
    """A handler for API Gateway: routes by (method, resource); every error is problem+json."""

    def handler(event: dict[str, Any], context: Any) -> Any:
        started = time.perf_counter()
        request_id = str(event.get("requestContext", {}).get("requestId", ""))
        try:
            response = dispatch(routes, event, request_id)
        except CountersignError as error:
            response = problem_response(error, request_id)
        except Exception as error:
            log_line(
                "api", f"unexpected {type(error).__name__} at {where(error)}", started, context
            )
            response = problem_response(
                as_transient(error)
                or CountersignError("Something failed on our side; nothing was answered"),
                request_id,
            )
        log_line(
            f"{event.get('httpMethod')} {event.get('resource')}",
            str(response.status),
            started,
            context,
        )
        return response.as_proxy()

    return handler


def dispatch(
    routes: Mapping[tuple[str, str], Route], event: dict[str, Any], request_id: str
) -> HttpResponse:
    """Find the route, decode the body, name the caller, run."""
    method, resource = str(event["httpMethod"]), str(event["resource"])
    route = routes.get((method, resource))
    if route is None:
        raise NotFoundError(f"No route {method} {resource}")
    raw = event.get("body") or ""
    if event.get("isBase64Encoded"):
        raw = base64.b64decode(raw).decode("utf-8", errors="strict")
    request = HttpRequest(
        method=method,
        resource=resource,
        path_params=event.get("pathParameters") or {},
        query=event.get("queryStringParameters") or {},
        headers={str(k).lower(): str(v) for k, v in (event.get("headers") or {}).items()},
        body=decode_body(raw),
        raw_body=raw,
        caller=caller_from(event),
        request_id=request_id,
    )
    return route(request, worker_stores())


def decode_body(raw: str) -> Any:
    """The JSON of a body; empty is None. NaN and Infinity are not JSON and are refused."""
    if not raw:
        return None

    def refuse(constant: str) -> Any:
        raise RequestError(f"{constant} is not a JSON number; send a finite number")

    try:
        return json.loads(raw, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise RequestError(
            f"The body is not JSON: line {error.lineno}, column {error.colno}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise RequestError("The body nests too deep or holds a number that is too long") from error


def parse(request_type: type[Any], event: Mapping[str, Any]) -> Any:
    """An event as its dataclass. Unknown or missing fields raise RequestError naming them."""
    known = {f.name: f for f in fields(request_type)}
    needed = {n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING}
    wrong = [FieldError(n, "a declared field") for n in sorted(set(event) - set(known))]
    wrong += [FieldError(n, "a value") for n in sorted(needed - set(event))]
    if wrong:
        names = ", ".join(error.field for error in wrong)
        raise RequestError(
            f"Unknown or missing fields for {request_type.__module__}: {names}", errors=wrong
        )
    return request_type(**event)


def to_json(result: Any) -> Any:
    """A result dataclass as plain JSON; None and plain values pass through."""
    return asdict(result) if hasattr(result, "__dataclass_fields__") else result


def where(error: BaseException) -> str:
    """File and line of the innermost frame: enough to find it, without a value of the request."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else "unknown"


def log_line(name: str, outcome: str, started: float, context: Any) -> None:
    """One structured line: what ran, how it ended, how long it took."""
    telemetry.logger.info(
        name,
        outcome=outcome,
        ms=round((time.perf_counter() - started) * 1000, 2),
        request_id=getattr(context, "aws_request_id", ""),
    )
