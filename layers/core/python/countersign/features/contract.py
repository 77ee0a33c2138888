"""A delivered file against its source's contract: schema first, then every value of every row.

What is wrong is told by column, row and expectation. Values are never told: they may be pay data.
"""
# ruff: noqa: S608 - SQL is made of declarations and quoted names, never of a file's values

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from countersign.declare import Column, Source
from countersign.errors import ContractError, FieldError
from countersign.features.duck import MARKS, SQL_TYPES, quote, timestamp
from countersign.features.reading import RAW, Unreadable, column

CHECKED = "checked_rows"
# Above this share of bad rows the file is wrong, not its rows.
TOLERATED = 0.05
CLOCK_SKEW = timedelta(minutes=10)
_OPTIONAL = ("_deleted", "_synthetic")
_ZONED = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)? ?(Z|z|[+-]\d{2}(:?\d{2})?)$"
_DAY = r"^\d{4}-\d{2}-\d{2}$"
_WHOLE = r"^[+-]?\d{1,18}(\.0*)?$"
_EXPECTED = {
    "string": "text",
    "integer": "a whole number",
    "number": "a finite number",
    "boolean": "true or false",
    "date": "a day as 2026-11-21, or a timestamp with its time zone",
    "timestamp": "a timestamp with its time zone, as 2026-11-21T05:47:00Z",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What many rows have in common: `expected` of `column`, and the first rows that are not so."""

    column: str
    expected: str
    rows: int
    first: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found. `refused`: why the whole file cannot be used; empty when it can."""

    rows: int
    bad_rows: int
    duplicates: int
    synthetic: bool
    findings: tuple[Finding, ...]
    refused: str = ""


def check_schema(source: Source, names: Sequence[str]) -> None:
    """Raise ContractError unless a file has the declared columns and no others, in any order."""
    declared = [c.name for c in source.columns]
    wrong = [
        FieldError(name, f"a column of {source.name}: it is missing")
        for name in declared
        if name not in names
    ]
    wrong += [
        FieldError(name, f"no such column in {source.name}")
        for name in names
        if name not in declared and name not in _OPTIONAL
    ]  # fmt: skip
    if wrong:
        raise ContractError(
            f"The columns are not those of {source.name}: {len(wrong)} differ", errors=wrong
        )


def check_rows(
    connection: Any,
    source: Source,
    names: Sequence[str],
    unreadable: Sequence[Unreadable],
    *,
    now: datetime,
) -> Verdict:
    """Check every row of `raw_rows` into `checked_rows`: typed columns, both clocks, `_digest`, `_wrong`.

    `_wrong` lists "column: expectation" of each row; empty means accepted.
    """
    typed = [f"{_typed(c)} AS {column(c.name)}" for c in source.columns]
    typed += [f"{column(c.name)} AS {column('_raw_' + c.name)}" for c in source.columns]
    typed += [
        f"coalesce(lower({column(name)}) IN ('true', '1', 't'), false) AS {name}"
        if name in names
        else f"false AS {name}"
        for name in _OPTIONAL
    ]
    tests = [test for c in source.columns for test in _tests(c)] + _clock_tests(source, now)
    wrong = ", ".join(
        f"CASE WHEN {bad} THEN {quote(f'{name}: {expected}')} END" for name, expected, bad in tests
    )
    kept = ", ".join(column(c.name) for c in source.columns)
    content = ", ".join(
        f"coalesce({_text(c)}, chr(0))" for c in (*source.columns, *map(_mark, _OPTIONAL))
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {CHECKED} AS SELECT _row, {kept}, _deleted, _synthetic, "
        f"{column(source.event_time)} AS _event, {column(source.known_at)} AS _known, "
        f"sha256(concat_ws(chr(31), {quote(source.name)}, {content})) AS _digest, "
        f"list_filter([{wrong}], lambda found: found IS NOT NULL) AS _wrong "
        f"FROM (SELECT _row, {', '.join(typed)} FROM {RAW})"
    )
    return _judge(connection, source, unreadable)


def accepted_sql(source: Source) -> str:
    """The accepted rows as they are stored: declared columns, both clocks, marks; each content once."""
    named = {source.event_time: "event_time", source.known_at: "known_at"}
    columns = [column(c.name) for c in source.columns if c.name not in {"event_time", "known_at"}]
    columns += [
        f"{'_event' if new == 'event_time' else '_known'} AS {new}" for new in named.values()
    ]
    return (
        f"SELECT {', '.join(columns)}, {', '.join(MARKS)} FROM {CHECKED} WHERE len(_wrong) = 0 "
        f"QUALIFY row_number() OVER (PARTITION BY _digest ORDER BY _row) = 1 ORDER BY _row"
    )


def rejected_sql() -> str:
    """The bad rows as delivered, with their number and what was expected."""
    return (
        f"SELECT r.*, array_to_string(c._wrong, '; ') AS _expected FROM {RAW} r "
        f"JOIN {CHECKED} c USING (_row) WHERE len(c._wrong) > 0 ORDER BY _row"
    )


def _judge(connection: Any, source: Source, unreadable: Sequence[Unreadable]) -> Verdict:
    rows, bad, good, distinct, synthetic = connection.execute(
        f"SELECT count(*), count(*) FILTER (len(_wrong) > 0), count(*) FILTER (len(_wrong) = 0), "
        f"count(DISTINCT _digest) FILTER (len(_wrong) = 0), coalesce(bool_or(_synthetic), false) "
        f"FROM {CHECKED}"
    ).fetchone()
    found = connection.execute(
        f"SELECT what, count(*), array_agg(_row ORDER BY _row)[1:5] FROM "
        f"(SELECT _row, unnest(_wrong) AS what FROM {CHECKED}) GROUP BY what ORDER BY 2 DESC, 1"
    ).fetchall()
    findings = []
    for what, count, first in found:
        name, expected = what.split(": ", 1)
        findings.append(Finding(name, expected, int(count), tuple(map(int, first))))
    for expected in dict.fromkeys(line.expected for line in unreadable):
        lines = [line.line for line in unreadable if line.expected == expected]
        findings.append(Finding("(line)", expected, len(lines), tuple(lines[:5])))
    rows, bad = rows + len(unreadable), bad + len(unreadable)
    low, high = source.delivers
    refused = ""
    if rows == 0:
        refused = "The file has no rows"
    elif bad > TOLERATED * rows:
        refused = f"{bad} of {rows} rows are bad, more than {TOLERATED:.0%}"
    elif not low <= rows <= high:
        refused = f"{rows} rows; a delivery of {source.name} has {low} to {high}"
    return Verdict(rows, bad, good - distinct, bool(synthetic), tuple(findings), refused)


def _typed(c: Column) -> str:
    raw = column(c.name)
    zoned = f"CASE WHEN regexp_matches({raw}, '{_ZONED}') THEN try_cast(replace({raw}, ',', '.') AS TIMESTAMPTZ) END"
    return {
        "string": raw,
        "integer": f"CASE WHEN regexp_matches({raw}, '{_WHOLE}') "
        f"THEN try_cast(regexp_replace({raw}, '\\.0*$', '') AS BIGINT) END",
        "number": f"CASE WHEN isfinite(try_cast({raw} AS DOUBLE)) THEN try_cast({raw} AS DOUBLE) END",
        "boolean": f"try_cast(lower({raw}) AS BOOLEAN)",
        "date": f"CASE WHEN regexp_matches({raw}, '{_DAY}') "
        f"THEN try_cast({raw} || ' 00:00:00+00' AS TIMESTAMPTZ) ELSE {zoned} END",
        "timestamp": zoned,
    }[c.type]


def _tests(c: Column) -> list[tuple[str, str, str]]:
    """(column, expectation, SQL that is true for a bad row)."""
    value, raw = column(c.name), column(f"_raw_{c.name}")
    tests = [(c.name, _EXPECTED[c.type], f"{raw} IS NOT NULL AND {value} IS NULL")]
    if not c.nullable:
        tests.append((c.name, "a value", f"{raw} IS NULL"))
    if c.minimum is not None:
        tests.append((c.name, f"at least {c.minimum:g}", f"{value} < {c.minimum!r}"))
    if c.maximum is not None:
        tests.append((c.name, f"at most {c.maximum:g}", f"{value} > {c.maximum!r}"))
    if c.allowed:
        one_of = ", ".join(map(quote, c.allowed))
        tests.append((c.name, f"one of {', '.join(c.allowed)}", f"{value} NOT IN ({one_of})"))
    return tests


def _clock_tests(source: Source, now: datetime) -> list[tuple[str, str, str]]:
    event, known = column(source.event_time), column(source.known_at)
    latest = f"{timestamp(now + source.ahead + CLOCK_SKEW)} AT TIME ZONE 'UTC'"
    learned = f"{timestamp(now + CLOCK_SKEW)} AT TIME ZONE 'UTC'"
    days = source.ahead.days
    return [
        (source.event_time, f"at most {days} days after the ingestion", f"{event} > {latest}"),
        (source.known_at, "not after the ingestion", f"{known} > {learned}"),
        (source.event_time, "after 1900", f"{event} < TIMESTAMPTZ '1900-01-01 00:00:00+00'"),
        (source.known_at, "after 1900", f"{known} < TIMESTAMPTZ '1900-01-01 00:00:00+00'"),
    ]


def _mark(name: str) -> Column:
    return Column(name=name, type="boolean")


def _text(c: Column) -> str:
    """A value as the text that is hashed: the same for every spelling and every file format."""
    if SQL_TYPES[c.type] == "TIMESTAMPTZ":
        return f"epoch_us({column(c.name)})::VARCHAR"
    return f"{column(c.name)}::VARCHAR"
