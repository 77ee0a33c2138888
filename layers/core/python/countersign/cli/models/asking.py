"""What the model commands ask alike: a path of the API, and an answer as a document or for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

UseCase = Annotated[str, typer.Argument(help="Such as payroll_anomaly.")]
Number = Annotated[str, typer.Argument(help="Such as 1.2.0.")]


def path(use_case: str, *parts: str, query: Mapping[str, str] | None = None) -> str:
    """`/v1/models/<use case>/…`, encoded; empty values of the query are left out."""
    made = "/".join(["/v1/models", *(quote(part, safe="") for part in (use_case, *parts))])
    asked = {name: value for name, value in (query or {}).items() if value}
    return f"{made}?{urlencode(asked)}" if asked else made


def reasoned(value: Any, reasons: Mapping[str, str], name: str) -> Any:
    """A value, or why it is not known."""
    return f"– ({reasons[name]})" if value is None and name in reasons else value


def interval(bounds: Any) -> str:
    """`0.88 to 0.94`, or nothing."""
    if not bounds or None in bounds:
        return ""
    return f"{bounds[0]:.4g} to {bounds[1]:.4g}"


def figure(value: float | None) -> str:
    """Four digits, or a dash."""
    return "–" if value is None else f"{value:.4g}"
