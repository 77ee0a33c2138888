"""Materialize one bucket: the entities of every part that was not yet brought online, a chunk at a time.

Which parts were brought is kept beside the values, an item for each, and not a moment until which all
was: builds overlap, and a part may come to lie in the lake after others that were built later. After
each chunk the last entity written is kept, too. A run that was killed is taken up where it stopped;
writing again is harmless, because a write never replaces a newer value.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from countersign.aws.online import OnlineRow
from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.declare import FeatureView
from countersign.features import duck
from countersign.features.definition import definition_digest
from countersign.features.online_rows import latest_rows, newest
from countersign.features.parts import history_prefix, parts_with

CHUNK = 600


def materialize(
    stores: Stores, view: FeatureView, *, as_of: datetime, bucket: int, buckets: int, full: bool
) -> tuple[int, int, str]:
    """Returns (written, skipped because nothing older stood, watermark)."""
    known = stores.online.parts(view.name)
    done = _Done.of(stores, view, f"{bucket}-of-{buckets}", as_of=as_of, full=full)
    keys = parts_with(stores.lake.keys(history_prefix(view.name)), bucket, buckets)
    brought = done.brought()
    unseen = [key for key in keys if key not in brought]
    if not unseen:
        return 0, 0, done.watermark
    with tempfile.TemporaryDirectory() as scratch, duck.connect(Path(scratch)) as connection:
        paths = dict(zip(keys, stores.lake.download(keys, Path(scratch) / "held"), strict=True))
        found = {key: newest(connection, view, duck.parquet([paths[key]]), as_of) for key in unseen}
        built = max(moment for moment, _ in found.values())
        whole = [key for key in unseen if not found[key][1]]
        run = _named(as_of, whole, partly=len(whole) < len(unseen))
        rows: Iterator[Any] = iter(())
        if built:
            rows = latest_rows(
                connection, view, duck.parquet(list(paths.values())), as_of=as_of,
                grown=duck.parquet([paths[key] for key in unseen]), after=done.cursor(run),
                bucket=bucket, buckets=buckets,
            )  # fmt: skip
        if done.part not in known and _divided_alike(known, buckets):
            # None of these entities is online yet: what has expired need not go there to be hidden.
            now = stores.clock.now().timestamp()
            rows = (row for row in rows if row[1]["expires"] > now)
        outcomes = _write(stores, view, rows, done, run)
    watermark = max(done.watermark, built)
    done.save(watermark=watermark, run=run, cursor="", as_of=iso(as_of))
    done.bring(whole)
    return sum(outcomes), len(outcomes) - sum(outcomes), watermark


@dataclass(slots=True)
class _Done:
    """How far a bucket has come. A round begins where nothing that was done before counts: the first
    time, with another definition, or when everything is asked for; what it brought is kept by its name.
    """

    stores: Stores
    view: FeatureView
    part: str
    round: str
    said: dict[str, Any]

    @classmethod
    def of(
        cls, stores: Stores, view: FeatureView, part: str, *, as_of: datetime, full: bool
    ) -> _Done:
        """What is on record; nothing at all when a round begins."""
        said = stores.online.progress(view.name, part)
        definition = definition_digest(view)
        if full or said.get("definition") != definition or "round" not in said:
            return cls(stores, view, part, f"{definition[:12]}@{iso(as_of)}", {})
        return cls(stores, view, part, str(said["round"]), said)

    @property
    def watermark(self) -> str:
        """When the newest part that was brought online was built."""
        return str(self.said.get("watermark", ""))

    def cursor(self, run: str) -> str:
        """The last entity that `run` wrote before it was killed."""
        return str(self.said.get("cursor", "")) if self.said.get("run") == run else ""

    def brought(self) -> set[str]:
        """The parts whose entities are online."""
        return set(self.stores.online.parts(self._place)) if self.said else set()

    def bring(self, keys: Sequence[str]) -> None:
        """Say so of `keys`, after the last of their entities was written."""
        for key in keys:
            self.stores.online.save_progress(self._place, key, {})

    def save(self, **progress: str) -> None:
        """Remember how far it has come."""
        mine = {"definition": definition_digest(self.view), "round": self.round}
        self.stores.online.save_progress(self.view.name, self.part, {**progress, **mine})

    @property
    def _place(self) -> str:
        return f"{self.view.name}#{self.part}#{self.round}"


def _divided_alike(known: Sequence[str], buckets: int) -> bool:
    return all(part.endswith(f"-of-{buckets}") for part in known)


def _named(as_of: datetime, whole: Sequence[str], *, partly: bool) -> str:
    """The name of the work: the same parts, and if some are not wholly known yet, as of the same moment."""
    said = "|".join([*sorted(whole), iso(as_of) if partly else ""])
    return hashlib.sha256(said.encode()).hexdigest()[:24]


def _write(stores: Stores, view: FeatureView, rows: Any, done: _Done, run: str) -> list[bool]:
    outcomes: list[bool] = []
    for chunk in _chunks(rows):
        named = [(identity, OnlineRow(**values)) for identity, values in chunk]
        outcomes += stores.online.write(view.entity.name, view.name, named)
        done.save(watermark=done.watermark, run=run, cursor=chunk[-1][0])
    return outcomes


def _chunks(rows: Iterator[Any]) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
