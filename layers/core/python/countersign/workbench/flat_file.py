"""Any flat CSV, Parquet or JSON-lines file, as the delivery of a use case declared on the spot."""
# ruff: noqa: S608 - SQL is made of quoted column names and our own paths, never of a file's values

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from countersign.errors import ContractError, DataError, FieldError, TooFewRowsError
from countersign.features import duck, reading
from countersign.features.reading import RAW, column
from countersign.workbench import flat
from countersign.workbench.config import Config, Flat
from countersign.workbench.flat_columns import (
    DAY,
    NAIVE,
    check_key,
    check_past,
    check_time,
    label_of,
)

MOST_CATEGORIES = 50
TOLERATED = 0.05
NO_TIME = "2000-01-01T00:00:00Z"  # a place on the time line, the same for every row
_RESERVED = {
    "as_of", "label", "entity_id", "event_time", "known_at", flat.KEY, flat.AT, flat.OUTCOME,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Laid:
    """A flat file laid out: the facts of its use case, delivered files by source, and what was left out."""

    facts: dict[str, Any]
    files: dict[str, tuple[Path, ...]]
    rows: int
    left_out: tuple[str, ...]


def lay_out(path: Path, config: Config, place: Path, *, now: datetime) -> Laid:
    """Write the file as a delivery below `place`, by what `config.data` says of its columns.

    Raises
    ------
    RequestError    the configuration names a column that the file lacks, with the line
    ContractError   the file cannot be read, or a time or label in it is not one
    DataError       a label with one value, or too many; a feature that is neither number nor category
    """
    wanted = config.data
    if wanted is None:
        raise config.refuse("data", "must say which column is the label")
    with duck.connect(place) as connection:
        names, unreadable = reading.read_raw(connection, path, reading.format_of(path.name))
        _check_names(config, wanted, names, path.name)
        (rows,) = connection.execute(f"SELECT count(*) FROM {RAW}").fetchone()
        if not rows:
            raise TooFewRowsError(f"{path.name} has a header and no rows")
        if len(unreadable) > TOLERATED * (rows + len(unreadable)):
            first = unreadable[0]
            raise ContractError(
                f"{path.name}: {len(unreadable)} lines are no rows; first line {first.line}, "
                f"expected {first.expected}"
            )
        facts, left_out = _facts(connection, config, wanted, names, path)
        for name in filter(None, (wanted.time, wanted.label_time)):
            check_past(connection, name, _moment(name, wanted), now)
        files = _write(connection, facts, wanted, place)
    return Laid(facts, files, int(rows), left_out)


def _check_names(config: Config, wanted: Flat, names: Sequence[str], file: str) -> None:
    asked = {
        "label": [wanted.label], "key": [wanted.key], "time": [wanted.time], "entity": [wanted.entity],
        "label_time": [wanted.label_time], "features": wanted.features, "groups": wanted.groups,
    }  # fmt: skip
    for setting, columns in asked.items():
        absent = [name for name in columns if name and name not in names]
        if absent:
            at = wanted.stated.get(setting)
            why = f"names {', '.join(map(repr, absent))}, which {file} lacks; it has {', '.join(names)}"
            raise at.refuse(why) if at else config.refuse("data", why)
    told = {wanted.label, wanted.label_time} & set(wanted.features)
    if told:
        raise wanted.stated["features"].refuse(f"holds the label itself, {', '.join(sorted(told))}")
    if wanted.label_time and not wanted.time:
        raise wanted.stated["label_time"].refuse("needs time, the moment of the row itself")
    if wanted.time_zone and not _is_zone(wanted.time_zone):
        raise wanted.stated["time_zone"].refuse("must be a time zone such as UTC or Europe/Paris")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _facts(
    connection: Any, config: Config, wanted: Flat, names: Sequence[str], path: Path
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What the columns are, as `flat.use_case_of` takes it; and the columns that can be no feature."""
    classes, positive = label_of(connection, config, wanted)
    for setting in ("time", "label_time"):
        if name := getattr(wanted, setting):
            check_time(connection, name, wanted)
    if wanted.key:
        check_key(connection, wanted.key)
    others = {wanted.label, wanted.key, wanted.time, wanted.label_time, wanted.entity}
    chosen = wanted.features or tuple(
        name for name in names if name not in others and name not in wanted.groups
    )
    features, left_out = _features(connection, wanted, chosen)
    if not features:
        raise DataError(f"{path.name} has no column that a model could learn from")
    taken = {found["name"] for found in features}
    return {
        "name": _plain(wanted.name or path.name.split(".")[0], set()),
        "label": wanted.label,
        "label_column": wanted.label,
        "positive": positive,
        "classes": classes,
        "by_time": bool(wanted.time),
        "entity": wanted.entity,
        "groups": [_plain(name, taken | _RESERVED) for name in wanted.groups],
        "features": features,
    }, left_out


def _features(
    connection: Any, wanted: Flat, names: Sequence[str]
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    made: list[dict[str, Any]] = []
    left_out: list[str] = []
    taken = set(_RESERVED)
    for name in names:
        categories = _categories(connection, name)
        if categories is None:
            if wanted.features:
                raise DataError(
                    f"{name!r} is text with more than {MOST_CATEGORIES} different values, neither a number "
                    "nor a category; leave it out of data.features",
                    errors=[FieldError(name, "numbers, or few different texts")],
                )
            left_out.append(name)
            continue
        plain = _plain(name, taken)
        taken.add(plain)
        made.append({"name": plain, "column": name, "categories": categories})
    return made, tuple(left_out)


def _categories(connection: Any, name: str) -> list[str] | None:
    """The categories of a text column, none of a numeric one; None when it is neither."""
    value = column(name)
    (texts,) = connection.execute(
        f"SELECT count(*) FROM {RAW} WHERE {value} IS NOT NULL AND try_cast({value} AS DOUBLE) IS NULL"
    ).fetchone()
    if not texts:
        return []
    found = connection.execute(
        f"SELECT DISTINCT {value} FROM {RAW} WHERE {value} IS NOT NULL ORDER BY 1 "
        f"LIMIT {MOST_CATEGORIES + 1}"
    ).fetchall()
    return None if len(found) > MOST_CATEGORIES else [text for (text,) in found]


def _plain(name: str, taken: set[str]) -> str:
    """A name that is an identifier, and nobody else's."""
    made = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower() or "column"
    made = f"c_{made}" if made[0].isdigit() else made
    base, number = made, 2
    while made in taken:
        made, number = f"{base}_{number}", number + 1
    return made


def _write(
    connection: Any, facts: Mapping[str, Any], wanted: Flat, place: Path
) -> dict[str, tuple[Path, ...]]:
    """The rows and their outcomes, as texts: the contract reads and types them."""
    name, label = facts["name"], column(wanted.label)
    key = column(wanted.key) if wanted.key else "printf('row-%09d', _row)"
    at = _moment(wanted.time, wanted) if wanted.time else duck.quote(NO_TIME)
    ended = _moment(wanted.label_time, wanted) if wanted.label_time else at
    columns = [f"{key} AS {flat.KEY}"]
    columns += [f"{column(wanted.entity)} AS entity_id"] if wanted.entity else []
    columns += [f"{_value(f)} AS {column('in_' + f['name'])}" for f in facts["features"]]
    groups = zip(wanted.groups, facts["groups"], strict=True)
    columns += [f"{column(theirs)} AS {column(ours)}" for theirs, ours in groups]
    apart = f"_row::VARCHAR || ' ' || {at}" if wanted.repeats else at
    columns += [f"{apart} AS told_at", f"{label} AS told_outcome"]
    columns += [f"{at} AS {flat.AT}", f"{at} AS known_at"]
    outcome = [f"{key} AS {flat.KEY}"] + (
        [f"{label} AS {flat.OUTCOME}"] if facts["classes"] else []
    )
    outcome += [f"{ended} AS {flat.AT}", f"{ended} AS known_at"]
    yes = "" if facts["classes"] else f"WHERE {label} = {duck.quote(facts['positive'])}"
    asked = {
        f"{name}_rows": f"SELECT {', '.join(columns)} FROM {RAW}",
        f"{name}_outcomes": f"SELECT {', '.join(outcome)} FROM {RAW} {yes}",
    }
    files: dict[str, tuple[Path, ...]] = {}
    for source, sql in asked.items():
        target = place / f"{source}.parquet"
        connection.execute(
            f"COPY ({sql} ORDER BY _row) TO {duck.quote(str(target))} (FORMAT parquet)"
        )
        files[source] = (target,)
    return files


def _value(found: Mapping[str, Any]) -> str:
    """A number that is not finite is no number."""
    value = column(found["column"])
    if found["categories"]:
        return value
    return f"CASE WHEN isfinite(try_cast({value} AS DOUBLE)) THEN {value} END"


def _moment(name: str, wanted: Flat) -> str:
    """A time of the file as UTC text; a naive one lies in the zone that the configuration states."""
    value = column(name)
    zone = duck.quote(wanted.time_zone or "UTC")
    naive = f"timezone({zone}, try_cast({value} AS TIMESTAMP))"
    zoned = f"try_cast({value} AS TIMESTAMPTZ)"
    moment = (
        f"CASE WHEN regexp_matches({value}, {duck.quote(f'({NAIVE})|({DAY})')}) "
        f"THEN {naive} ELSE {zoned} END"
    )
    return f"strftime({moment} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
