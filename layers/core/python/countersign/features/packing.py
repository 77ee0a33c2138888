"""The online value of a view in bytes: the digest of its definition, then one double per column.

Decoded on every scored request, so: the standard library only, no copy of names, null is NaN.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import nan

from countersign.declare import FeatureView
from countersign.features.aggregations import served_value
from countersign.features.definition import definition_digest
from countersign.features.engine import LATEST, stored_columns

_HEADER = 8
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Stored values by feature, and the event time of the newest fact by source (microseconds)."""

    stored: Mapping[str, float | None]
    latest: Mapping[str, float | None]

    @property
    def newest(self) -> float | None:
        """Event time of the newest fact of any source, microseconds."""
        return max((t for t in self.latest.values() if t is not None), default=None)


def pack(view: FeatureView, stored: Sequence[float | None]) -> bytes:
    """The values of `stored_columns(view)`, in that order."""
    numbers = [nan if value is None else value for value in stored]
    return bytes.fromhex(definition_digest(view)) + struct.pack(f"<{len(numbers)}d", *numbers)


def unpack(view: FeatureView, packed: bytes) -> Unpacked | None:
    """What was packed; None when it was packed under another definition of the view."""
    if packed[:_HEADER] != bytes.fromhex(definition_digest(view)):
        return None
    columns = stored_columns(view)
    numbers = struct.unpack_from(f"<{len(columns)}d", packed, _HEADER)
    values = [None if number != number else number for number in numbers]  # noqa: PLR0124 - NaN
    count = len(view.features)
    stored = dict(zip(columns[:count], values[:count], strict=True))
    names = [column.removeprefix(LATEST) for column in columns[count:]]
    return Unpacked(stored, dict(zip(names, values[count:], strict=True)))


def serve(view: FeatureView, row: Unpacked | None, as_of: datetime) -> dict[str, float | None]:
    """The features of `view` as seen at `as_of`; nulls without a row or past the time to live."""
    moment = microseconds(as_of)
    newest = None if row is None else row.newest
    if row is None or newest is None or moment - newest > view.ttl / _TICK:
        return {feature.name: None for feature in view.features}
    served: dict[str, float | None] = {}
    for feature in view.features:
        value = row.stored[feature.name]
        served[feature.name] = None if value is None else served_value(feature, value, moment)
    return served


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // _TICK
