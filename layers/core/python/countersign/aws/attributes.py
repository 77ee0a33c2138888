"""DynamoDB's attribute values to and from plain JSON values. Floats keep every bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any

from countersign.errors import DataError

# bool before int, which it is a kind of.
_SCALARS: tuple[tuple[Any, Callable[[Any], dict[str, Any]]], ...] = (
    (str, lambda value: {"S": value}),
    (bool, lambda value: {"BOOL": value}),
    ((int, float), lambda value: {"N": _number(value)}),
    (NoneType, lambda value: {"NULL": True}),
    (bytes, lambda value: {"B": value}),
)


def marshal(value: Any) -> dict[str, Any]:
    """A plain value as DynamoDB wants it: None, bool, int, float, str, bytes, list or mapping.

    Raises DataError for NaN and infinity, TypeError for what DynamoDB does not hold.
    """
    for kinds, mark in _SCALARS:
        if isinstance(value, kinds):
            return mark(value)
    if isinstance(value, Mapping):
        return {"M": {str(name): marshal(item) for name, item in value.items()}}
    if isinstance(value, list | tuple):
        return {"L": [marshal(item) for item in value]}
    raise TypeError(f"DynamoDB holds no {type(value).__name__}")


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise DataError("NaN or infinity cannot be stored; leave an unknown number null")
    return repr(value)


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
