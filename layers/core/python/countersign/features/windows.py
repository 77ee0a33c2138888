"""Windows as SQL: which event times count at a moment, and when a fact enters and leaves.

Moments are DuckDB TIMESTAMP in UTC with microseconds. Every window is brought to the half-open form
`lo <= t < hi`, so that one comparison serves inclusive and exclusive windows and membership, entry
and exit are three views of the same two bounds.
"""

from __future__ import annotations

from datetime import timedelta

from countersign.declare import Window

ALL_HISTORY = Window()
_TICK = "INTERVAL 1 MICROSECOND"


def bounds(window: Window, moment: str) -> tuple[str | None, str]:
    """`(lo, hi)` in SQL of the window that ends at `moment`; lo is None when it never began."""
    anchor = _minus(moment, window.delay)
    hi = f"{anchor} + {_TICK}" if window.include_current else anchor
    if window.months:
        earlier = f" - INTERVAL {window.months - 1} MONTH" if window.months > 1 else ""
        return f"date_trunc('month', {anchor}){earlier}", hi
    if window.year_to_date:
        return f"date_trunc('year', {anchor})", hi
    if window.duration:
        return _minus(hi, window.duration), hi
    return None, hi


def entry(window: Window, time: str) -> str:
    """The first moment at which a fact of event time `time` counts."""
    start = _plus(time, window.delay)
    return start if window.include_current else f"{start} + {_TICK}"


def leaving(window: Window, time: str) -> str | None:
    """The first moment at which a fact of event time `time` counts no more; None when it stays."""
    if window.months:
        return _plus(f"date_trunc('month', {time}) + INTERVAL {window.months} MONTH", window.delay)
    if window.year_to_date:
        return _plus(f"date_trunc('year', {time}) + INTERVAL 1 YEAR", window.delay)
    if window.duration:
        return _plus(entry(window, time), window.duration)
    return None


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _plus(moment: str, span: timedelta) -> str:
    return f"{moment} + to_microseconds({_microseconds(span)})" if span else moment


def _minus(moment: str, span: timedelta) -> str:
    return f"{moment} - to_microseconds({_microseconds(span)})" if span else moment
