"""Calls spread over threads, those of one key in one thread and in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


def in_lanes(
    items: Iterable[tuple[str, Item]], call: Callable[[str, Item], Outcome], *, lanes: int
) -> list[Outcome]:
    """`call(key, item)` of each (key, item); the outcomes in the order of `items`.

    After the first call that raises no other begins; those under way are waited for. Raises what it
    raised.
    """
    asked = list(items)
    outcomes: dict[int, Outcome] = {}
    stop = Event()

    def drive(places: list[int]) -> None:
        try:
            for place in places:
                if stop.is_set():
                    return
                outcomes[place] = call(*asked[place])
        except BaseException:
            stop.set()
            raise

    split: dict[int, list[int]] = {}
    for place, (key, _) in enumerate(asked):
        split.setdefault(hash(key) % lanes, []).append(place)
    with ThreadPoolExecutor(lanes) as pool:
        for done in [pool.submit(drive, places) for places in split.values()]:
            done.result()
    return [outcomes[place] for place in range(len(asked))]
