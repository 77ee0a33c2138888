"""A scoring body against its declared fields. Errors name fields and expectations, never values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from countersign.clock import iso, parse_iso
from countersign.declare import RequestField
from countersign.errors import DataError, FieldError, RequestError

MAX_BODY_BYTES = 262_144
MAX_ERRORS = 20
# Above it a float no longer holds every integer, and features are floats.
_EXACT = 2**53
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MISSING = object()


class _RefusedError(Exception):
    """The value is not of its type, or not allowed."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One declared field, ready to be checked."""

    path: str
    name: str
    required: bool
    expected: str
    read: Callable[[Any], Any]


Tree = dict[str, Any]  # name → Leaf, or the Tree of a nested object


def compile_fields(fields: Sequence[RequestField]) -> Tree:
    """The declared fields as a tree by dotted path; the last part names the value in the row."""
    tree: Tree = {}
    by_path = {field.path: field for field in fields}  # stated twice, the later one holds
    names = [path.rpartition(".")[2] for path in by_path]
    if len(set(names)) != len(names):
        raise DataError("Two request fields end in the same name")
    for field, name in zip(by_path.values(), names, strict=True):
        node = tree
        for part in field.path.split(".")[:-1]:
            node = node.setdefault(part, {})
        node[name] = Leaf(field.path, name, field.required, _expectation(field), _reader(field))
    tree["idempotency_key"] = _IDEMPOTENCY  # every use case has one, in the body or the header
    return tree


def read_body(tree: Tree, body: Any, *, row: int | None = None) -> dict[str, Any]:
    """The values of `body` by the last part of their path; absent optional ones are None.

    Dates and timestamps come out as one kind of text: UTC, to the microsecond, ending in Z.

    Raises
    ------
    RequestError (400)   not a JSON object
    DataError (422)      a field is missing, unknown, of another type, or outside what is allowed
    """
    if not isinstance(body, Mapping):
        raise RequestError("The body must be a JSON object")
    values: dict[str, Any] = {}
    wrong: list[FieldError] = []
    _walk(tree, body, "", values, wrong)
    if wrong:
        found = [FieldError(error.field, error.expected, row) for error in wrong[:MAX_ERRORS]]
        raise DataError("Fields of the request are not as declared", errors=found)
    return values


def _walk(
    tree: Tree,
    body: Mapping[str, Any],
    prefix: str,
    values: dict[str, Any],
    wrong: list[FieldError],
) -> None:
    for name, node in tree.items():
        value = body.get(name, _MISSING)
        if type(node) is dict:
            nested = {} if value is _MISSING else value
            if isinstance(nested, Mapping):
                _walk(node, nested, f"{prefix}{name}.", values, wrong)
            else:
                wrong.append(FieldError(f"{prefix}{name}", "an object"))
        elif value is _MISSING or value is None:
            values[name] = None
            if node.required:
                wrong.append(FieldError(node.path, node.expected))
        else:
            try:
                values[name] = node.read(value)
            except _RefusedError:
                wrong.append(FieldError(node.path, node.expected))
    if not tree.keys() >= body.keys():
        wrong += [
            FieldError(f"{prefix}{_readable(name)}", "no such field")
            for name in body
            if name not in tree
        ]


def _readable(name: str) -> str:
    return name if _NAME.fullmatch(name) else "(a name that is not an identifier)"


def _expectation(field: RequestField) -> str:
    kind = {
        "string": f"a printable string of 1 to {field.max_length} characters",
        "integer": "an integer",
        "number": "a finite number",
        "boolean": "true or false",
        "date": "a day as YYYY-MM-DD",
        "timestamp": "an ISO-8601 timestamp with its time zone",
    }[field.type]
    bounds = [f"at least {field.minimum:g}"] if field.minimum is not None else []
    bounds += [f"at most {field.maximum:g}"] if field.maximum is not None else []
    bounds += [f"matching {field.pattern}"] if field.pattern else []
    return ", ".join([kind, *bounds])


def _reader(field: RequestField) -> Callable[[Any], Any]:
    if field.type == "string":
        return _string_reader(field)
    if field.type in {"integer", "number"}:
        return _number_reader(field)
    if field.type == "boolean":
        return _read_boolean
    return _read_day if field.type == "date" else _read_timestamp


def _string_reader(field: RequestField) -> Callable[[Any], Any]:
    pattern = re.compile(field.pattern) if field.pattern else None
    longest = field.max_length

    def read(value: Any) -> str:
        if type(value) is not str:
            raise _RefusedError
        if not 1 <= len(value) <= longest or not value.isprintable():
            raise _RefusedError
        if pattern is not None and not pattern.fullmatch(value):
            raise _RefusedError
        return value

    return read


def _number_reader(field: RequestField) -> Callable[[Any], Any]:
    low = -_EXACT if field.minimum is None else field.minimum
    high = _EXACT if field.maximum is None else field.maximum
    types = {int} if field.type == "integer" else {int, float}

    def read(value: Any) -> float:
        if type(value) not in types or not math.isfinite(value):
            raise _RefusedError
        if not low <= value <= high:
            raise _RefusedError
        number: float = value
        return number

    return read


def _read_boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise _RefusedError
    return value


def _moment(value: Any) -> datetime:
    if type(value) is not str or len(value) > 40:
        raise _RefusedError
    try:
        return parse_iso(value)
    except DataError as error:
        raise _RefusedError from error


def _read_timestamp(value: Any) -> str:
    return iso(_moment(value))


def _read_day(value: Any) -> str:
    """A day stands for its midnight in UTC, as in a delivery; a zoned timestamp for its day in UTC."""
    if type(value) is str and _DAY.fullmatch(value):
        value += "T00:00:00Z"
    return iso(_moment(value).replace(hour=0, minute=0, second=0, microsecond=0))


_IDEMPOTENCY = Leaf(
    "idempotency_key",
    "idempotency_key",
    False,
    "1 to 128 visible ASCII characters",
    _string_reader(
        RequestField(path="idempotency_key", type="string", max_length=128, pattern=r"[\x21-\x7e]+")
    ),
)


def idempotency_key(body: Any, headers: Mapping[str, str]) -> str:
    """The key of a request, from its body or its `Idempotency-Key` header.

    Raises DataError when there is none, when it is unreadable, or when the two differ.
    """
    expected = FieldError(_IDEMPOTENCY.path, _IDEMPOTENCY.expected)
    given = body.get("idempotency_key") if isinstance(body, Mapping) else None
    header = headers.get("idempotency-key")
    if given is not None and header is not None and given != header:
        raise DataError("The idempotency key differs between body and header", errors=[expected])
    try:
        key: str = _IDEMPOTENCY.read(given if given is not None else header)
    except _RefusedError as error:
        raise DataError("The request needs an idempotency key", errors=[expected]) from error
    return key
