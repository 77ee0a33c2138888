"""Two small sources, views over them made in a test, and their values by every road."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from countersign.declare import Column, Entity, Feature, FeatureView, Source, Window
from countersign.features import asof, contract, duck, packing, pointintime, reading
from countersign.features.engine import create_stream, stored_columns
from countersign.features.history import create_history

TICK, DAY = timedelta(microseconds=1), timedelta(days=1)
NOW = datetime(2026, 11, 21, tzinfo=UTC)
END = datetime(2027, 6, 1, tzinfo=UTC)
WHO = Entity(name="who", key="who", buckets=2)
COLUMNS = (
    Column(name="fact", type="string"),
    Column(name="who", type="string"),
    Column(name="amount", type="integer", nullable=True),
    Column(name="base", type="number", nullable=True),
    Column(name="flag", type="boolean", nullable=True),
    Column(name="team", type="string", nullable=True),
    Column(name="at", type="timestamp"),
    Column(name="known_at", type="timestamp"),
)
PAY, ISSUE = (
    Source(name=name, description=name, owner="t", columns=COLUMNS, key=("fact",), event_time="at")
    for name in ("pay", "issue")
)
Asked = tuple[str, str | datetime]


def utc(text: str | datetime) -> datetime:
    """A moment; without a zone it is UTC."""
    moment = datetime.fromisoformat(text) if isinstance(text, str) else text
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def row(fact: str, at: str | datetime, amount: int | None = 1, **changes: Any) -> dict[str, Any]:
    """A fact of entity "a", known when it happened; the clocks as text with the zone they came with."""
    moment = utc(at).isoformat()
    made = {
        "fact": fact, "who": "a", "amount": amount, "base": None, "flag": None, "team": None,
        "at": moment, "known_at": moment, "_deleted": False,
    }  # fmt: skip
    if "known_at" in changes:
        changes["known_at"] = utc(changes["known_at"]).isoformat()
    return made | changes


def view(*features: Feature, ttl: timedelta = 4000 * DAY, **changes: Any) -> FeatureView:
    """A view of `pay`, or of both sources, with these features."""
    return FeatureView(
        name="made", entity=WHO, source=PAY, description="", owner="t", features=features, ttl=ttl, **changes
    )  # fmt: skip


def feature(
    aggregation: Any, expression: str = "amount", *, name: str = "value", **changes: Any
) -> Feature:
    return Feature(
        name=name, description="", aggregation=aggregation, expression=expression, **changes
    )


NOW_TOO = Window(include_current=True)
LAST = view(feature("last", window=NOW_TOO))


class Lab:
    """Delivered rows in a session, taken in by the contract that ingestion holds files against."""

    def __init__(self, folder: Path) -> None:
        self.connection = duck.connect(folder)
        self._folder = folder
        self._files: dict[str, list[Path]] = {"pay": [], "issue": []}
        for source in (PAY, ISSUE):
            duck.register_source(self.connection, source, [])

    def deliver(self, *rows: dict[str, Any], source: Source = PAY) -> contract.Verdict:
        """One file of JSON lines."""
        path = self._path(source, "jsonl")
        path.write_text("".join(json.dumps(one) + "\n" for one in rows))
        return self.take(path, "jsonl", source)

    def deliver_parquet(self, table: Any, source: Source = PAY) -> contract.Verdict:
        """One file of a pyarrow table."""
        from pyarrow import parquet

        path = self._path(source, "raw.parquet")
        parquet.write_table(table, path)
        return self.take(path, "parquet", source)

    def take(self, path: Path, kind: str, source: Source) -> contract.Verdict:
        names, unreadable = reading.read_raw(self.connection, path, kind)
        contract.check_schema(source, names)
        verdict = contract.check_rows(self.connection, source, names, unreadable, now=NOW)
        if not verdict.refused:
            target = path.with_suffix(".accepted.parquet")
            accepted = contract.accepted_sql(source)
            self.connection.execute(f"COPY ({accepted}) TO '{target}' (FORMAT parquet)")
            self._files[source.name].append(target)
            self.register()
        return verdict

    def register(self, *, reverse: bool = False) -> None:
        """Make the accepted files readable, in the order of delivery or in the other."""
        for source in (PAY, ISSUE):
            files = self._files[source.name]
            duck.register_source(self.connection, source, files[::-1] if reverse else files)

    def _path(self, source: Source, suffix: str) -> Path:
        return self._folder / f"{source.name}-{len(self._files[source.name])}.{suffix}"

    def spine(self, asked: Sequence[Asked]) -> str:
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE asked (_number INT, who VARCHAR, as_of TIMESTAMPTZ)"
        )
        for number, (entity, moment) in enumerate(asked):
            values = [number, entity, utc(moment).isoformat()]
            self.connection.execute("INSERT INTO asked VALUES (?, ?, ?::TIMESTAMPTZ)", values)
        return "asked"

    def answers(self, of: FeatureView, asked: Sequence[Asked]) -> list[tuple[Any, ...]]:
        """A tuple of features per question: direct, by the history, and online at the moment; all agree."""
        spine = self.spine(asked)
        stream = create_stream(self.connection, of, known_by=duck.timestamp(END))
        direct = self._ordered(of, pointintime.direct_sql(of, stream, spine))
        built = create_history(self.connection, of, as_of=END, built_at=END)
        joined = self._ordered(of, asof.join_sql(self.connection, spine, [(of, built)]))
        assert joined == direct
        assert [self.online(of, built, *one) for one in asked] == direct
        return direct

    def online(
        self, of: FeatureView, history: str, entity: str, moment: str | datetime
    ) -> tuple[Any, ...]:
        """What a request at the moment is served from what stands then, through its bytes."""
        at = f"({duck.timestamp(utc(moment))} AT TIME ZONE 'UTC')"
        columns = ", ".join(f'"{name}"' for name in stored_columns(of))
        row = self.connection.execute(
            f"SELECT {columns} FROM ({pointintime.latest_sql(of, history, at)}) WHERE entity_id = ?",
            [entity],
        ).fetchone()
        held = None if row is None else packing.unpack(of, packing.pack(of, row))
        return tuple(packing.serve(of, held, utc(moment)).values())

    def values(self, of: FeatureView, *moments: str | datetime, who: str = "a") -> list[Any]:
        """The view's first feature at each moment."""
        return [found[0] for found in self.answers(of, [(who, moment) for moment in moments])]

    def value(self, of: FeatureView, moment: str | datetime, who: str = "a") -> Any:
        return self.values(of, moment, who=who)[0]

    def _ordered(self, of: FeatureView, sql: str) -> list[tuple[Any, ...]]:
        columns = ", ".join(f'"{f.name}"' for f in of.features)
        found = self.connection.execute(
            f"SELECT {columns} FROM ({sql}) ORDER BY _number"
        ).fetchall()
        return [tuple(one) for one in found]
