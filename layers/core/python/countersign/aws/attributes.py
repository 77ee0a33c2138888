"""DynamoDB's attribute values to and from plain JSON values. Floats keep every bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any

from countersign.errors import DataError


def _string(value: str) -> dict[str, Any]:
    return {"S": value}


def _list(value: list[Any] | tuple[Any, ...]) -> dict[str, Any]:
    return {"L": [marshal(item) for item in value]}


def _map(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"M": {str(name): marshal(item) for name, item in value.items()}}


def _number(value: float) -> dict[str, Any]:
    if not math.isfinite(value):
        raise DataError("NaN or infinity cannot be stored; leave an unknown number null")
    return {"N": repr(value)}


# By exact type, for speed; then by kind, for subclasses. bool before int, which it is a kind of.
_MARKS: dict[Any, Callable[[Any], dict[str, Any]]] = {
    str: _string,
    bool: lambda value: {"BOOL": value},
    int: _number,
    float: _number,
    NoneType: lambda value: {"NULL": True},
    bytes: lambda value: {"B": value},
    list: _list,
    tuple: _list,
    dict: _map,
    Mapping: _map,
}


def marshal(value: Any) -> dict[str, Any]:
    """A plain value as DynamoDB wants it: None, bool, int, float, str, bytes, list or mapping.

    Raises DataError for NaN and infinity, TypeError for what DynamoDB does not hold.
    """
    mark = _MARKS.get(type(value))
    if mark is None:
        mark = next((mark for kind, mark in _MARKS.items() if isinstance(value, kind)), None)
    if mark is None:
        raise TypeError(f"DynamoDB holds no {type(value).__name__}")
    return mark(value)


def marshal_item(item: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A whole item."""
    return {name: marshal(value) for name, value in item.items()}


def plain(attribute: Mapping[str, Any]) -> Any:
    """A DynamoDB attribute as a plain value. A number without a fraction comes back as int."""
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return int(value) if value.lstrip("-").isdigit() else float(value)
        case "NULL":
            return None
        case "M":
            return {name: plain(item) for name, item in value.items()}
        case "L":
            return [plain(item) for item in value]
    return value


def plain_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """A whole item."""
    return {name: plain(value) for name, value in item.items()}
