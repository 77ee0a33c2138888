"""The spine of a training set: what was to be scored, when, and how it ended as far as is known."""
# ruff: noqa: S608 - SQL is made of declarations

from __future__ import annotations

from datetime import datetime
from typing import Any

from countersign.declare import Label, Source, UseCase
from countersign.errors import DataError
from countersign.features.duck import SQL_TYPES, quote, source_relation, timestamp

SPINE = "spine"


def create_spine(connection: Any, use_case: UseCase, as_of: datetime) -> str:
    """Create the table `spine` from the registered sources; returns its name.

    A row per fact of the spine's source whose label had time to mature by `as_of`, as the fact was
    when it was first known: a correction that came later is what a scorer could not see. `as_of` is
    the row's own moment, its event time; `label` whether a row of the label's source that names it
    stood at the dataset's `as_of`, within the label's horizon where it has one. Of a label with classes
    it is the class as text, and a row whose outcome is not on record is left out.

    Raises
    ------
    DataError      a label that stands lies in the future of `as_of`
    """
    label, moment = use_case.label, timestamp(as_of)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE standing_labels AS {standing_sql(label.source, moment)}"
    )
    (ahead,) = connection.execute(
        f"SELECT count(*) FROM standing_labels WHERE event_time > ({moment} AT TIME ZONE 'UTC')"
    ).fetchone()
    if ahead:
        raise DataError(f"{ahead} labels of {label.source.name} lie after the dataset's as-of time")
    source = use_case.spine
    key = ", ".join(f'"{name}"' for name in source.key)
    columns = ", ".join(_column(source, c.name) for c in source.columns)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {SPINE} AS SELECT * FROM ("
        f"SELECT {columns}, event_time AS as_of, _synthetic, {_label(label)} AS label "
        f"FROM {source_relation(source)} s WHERE NOT coalesce(_deleted, false) "
        f"AND known_at <= ({moment} AT TIME ZONE 'UTC') "
        f"AND event_time + to_seconds({label.matures.total_seconds()}) "
        f"<= ({moment} AT TIME ZONE 'UTC') "
        f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY known_at, _digest) = 1"
        f") WHERE label IS NOT NULL"
    )
    return SPINE


def positive_sql(label: Label) -> str:
    """SQL over a spine's `label`: whether a row is positive; with classes, not of the first one."""
    return f"label <> {quote(label.classes[0])}" if label.classes else "label"


def _label(label: Label) -> str:
    """The label of a row `s` of the spine's source, from `standing_labels`."""
    if label.within is None and not label.classes:
        return f'"{label.join}" IN (SELECT "{label.join}" FROM standing_labels)'
    named = f'l."{label.join}" = s."{label.join}"'
    if label.within is not None:
        horizon = f"to_seconds({label.within.total_seconds()})"
        named += f" AND l.event_time > s.event_time AND l.event_time <= s.event_time + {horizon}"
    if not label.classes:
        return f"EXISTS (SELECT 1 FROM standing_labels l WHERE {named})"
    last = f'arg_max(l."{label.outcome}", (l.known_at, l._digest))'
    return f"(SELECT {last} FROM standing_labels l WHERE {named})"


def standing_sql(source: Source, moment: str) -> str:
    """The rows of a source that stand at `moment` (SQL TIMESTAMP): last versions, no tombstones."""
    key = ", ".join(f'"{name}"' for name in source.key)
    return (
        f"SELECT * FROM (SELECT * FROM {source_relation(source)} "
        f"WHERE known_at <= ({moment} AT TIME ZONE 'UTC') "
        f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY known_at DESC, _digest DESC) = 1) "
        f"WHERE NOT coalesce(_deleted, false)"
    )


def _column(source: Source, name: str) -> str:
    """Dates and moments as the ISO text that a scoring body has."""
    if SQL_TYPES[source.column(name).type] == "TIMESTAMPTZ":
        return f'strftime("{name}", \'%Y-%m-%dT%H:%M:%S.%fZ\') AS "{name}"'
    return f'"{name}"'
