"""Build one bucket of one view: compute what news demands, append what is new, then say so.

The state of the build is written last. A build that dies before is done again from the state before it,
and finds in the lake the rows that it had appended already.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from countersign.aws.lake import Lake
from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.declare import FeatureView
from countersign.errors import NotFoundError
from countersign.features import build_state, duck, increments
from countersign.features.build_state import BuildState
from countersign.features.definition import definition_digest
from countersign.features.engine import create_stream
from countersign.features.increments import Build
from countersign.features.parts import (
    build_key,
    history_key,
    history_prefix,
    parts_with,
)
from countersign.steps.build_features.sources import (
    SourceFiles,
    load_news,
    load_sources,
    source_files,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a build did: rows appended, in how many parts, of how many points computed, and whether of
    the whole history.
    """

    rows: int
    parts: int
    points: int
    whole: bool


def build(stores: Stores, view: FeatureView, *, as_of: datetime, bucket: int, buckets: int) -> Work:
    """Append the history rows that the lake lacks.

    The same facts give no row a second time, so a second run, or one after a kill, adds nothing.
    """
    lake, definition = stores.lake, definition_digest(view)
    sources = {source.name: source_files(lake, source) for source in view.sources()}
    files = {name: found.accepted for name, found in sources.items()}
    parts = parts_with(lake.keys(history_prefix(view.name)), bucket, buckets)
    key = build_key(view.name, bucket, buckets)
    last = _state(lake, key)
    usable = last and last.holds(definition=definition, as_of=as_of, files=files, parts=parts)
    state = last if usable else None
    plan = Build(
        view=view, as_of=as_of, built_at=max(stores.clock.now(), as_of), bucket=bucket,
        buckets=buckets, since=state.as_of if state else None,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch, _session(Path(scratch)) as connection:
        run = _Run(connection, lake, Path(scratch), plan)
        run.load(sources, parts, state)
        points, read = run.compute(parts, state)
        rows, appended = run.append()
    if last is None or last.definition != definition or last.as_of <= as_of:
        known = {**(state.parts if state else {}), **read, **appended}
        said = BuildState(definition=definition, as_of=as_of, parts=known, files=files)
        lake.write_json(key, build_state.dump(said))
    return Work(rows=rows, parts=len(appended), points=points, whole=state is None)


@dataclass(slots=True)
class _Run:
    """The session of one build."""

    connection: Any
    lake: Lake
    place: Path
    plan: Build
    _late: datetime | None = None
    _fresh: str = ""

    def load(
        self, sources: Mapping[str, SourceFiles], parts: list[str], state: BuildState | None
    ) -> None:
        """Make the sources readable, and find what is late among the news."""
        view = self.plan.view
        load_sources(self.connection, self.lake, view, sources, self.place)
        if state:
            fresh = state.news({name: found.accepted for name, found in sources.items()})
            news = load_news(self.connection, self.lake, view, fresh, self.place)
            others = [key for key in parts if key not in state.parts]
            paths = self.lake.download(others, self.place / "strange")
            strange = duck.parquet(paths) if paths else None
            self._late = increments.create_late(self.connection, self.plan, news, strange)

    def compute(self, parts: list[str], state: BuildState | None) -> tuple[int, dict[str, str]]:
        """Compute what may differ; returns the points, and of the parts read the newest `known_at`."""
        needed = state.parts_from(self._late or self.plan.as_of, parts) if state else parts
        paths = self.lake.download(needed, self.place / "held")
        held = duck.parquet(paths) if paths else None
        stream = create_stream(
            self.connection, self.plan.view, known_by=self.plan.by,
            bucket=self.plan.bucket, buckets=self.plan.buckets,
        )  # fmt: skip
        self._fresh, points = increments.create_changes(self.connection, self.plan, stream, held)
        newest = [self._newest(duck.parquet([path])) for path in paths]
        return points, dict(zip(needed, newest, strict=True))

    def append(self) -> tuple[int, dict[str, str]]:
        """Write the new rows as one part, if there are any; returns their number, and the part."""
        plan, target = self.plan, self.place / "part.parquet"
        (rows,) = self.connection.execute(
            f"COPY ({self._fresh} ORDER BY entity_id, event_time, known_at) TO "
            f"{duck.quote(str(target))} (FORMAT parquet, COMPRESSION zstd)"
        ).fetchone()
        if not rows:
            return 0, {}
        digest = hashlib.sha256(target.read_bytes()).hexdigest()
        key = history_key(plan.view.name, plan.built_at, plan.bucket, plan.buckets, digest)
        self.lake.put_file(key, target)
        return int(rows), {key: self._newest(duck.parquet([target]))}

    def _newest(self, part: str) -> str:
        (moment,) = self.connection.execute(
            f"SELECT epoch_us(max(known_at)) FROM {part} "  # noqa: S608 - a path of ours
            f"WHERE _definition = {duck.quote(definition_digest(self.plan.view))}"
        ).fetchone()
        return "" if moment is None else iso(duck.from_microseconds(moment))


def _session(scratch: Path) -> Any:
    """Two thirds of the function's memory; what does not fit is spilled."""
    return duck.connect(scratch, memory_mb=2000)


def _state(lake: Lake, key: str) -> BuildState | None:
    """What the last build said; None when there is none that can be read."""
    try:
        return build_state.parse(lake.read_json(key))
    except (NotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return None
