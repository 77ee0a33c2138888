"""The one clock that time comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from countersign.errors import DataError


class Clock:
    """The wall clock, UTC and aware."""

    def now(self) -> datetime:
        """The current time."""
        return datetime.now(UTC)


@dataclass(slots=True)
class FixedClock(Clock):
    """A clock that stands still until it is told otherwise: for tests and replays."""

    at: datetime

    def now(self) -> datetime:
        """The time it was set to."""
        return self.at


def iso(moment: datetime) -> str:
    """`2026-11-21T05:47:00.000000Z`: sorts as text. A naive moment is refused."""
    if moment.tzinfo is None:
        raise DataError("A timestamp without a time zone cannot be placed in time; state it in UTC")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_iso(text: str) -> datetime:
    """The aware UTC moment of an ISO-8601 text. Raises DataError when it is naive or unreadable."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise DataError("Not an ISO-8601 timestamp; expected 2026-11-21T05:47:00Z") from error
    if moment.tzinfo is None:
        raise DataError("A timestamp without a time zone cannot be placed in time; state it in UTC")
    return moment.astimezone(UTC)
