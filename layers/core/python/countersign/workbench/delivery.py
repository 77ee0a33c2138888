"""Delivered files to a frozen dataset folder: contract, history, freeze, by the code that the machine runs."""
# ruff: noqa: S608 - SQL is made of declarations and our own paths

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from countersign.declare import Source, UseCase
from countersign.errors import ContractError, DataError
from countersign.features import contract, duck, freezing, reading
from countersign.features.contract import Verdict
from countersign.features.history import create_history

MANIFEST = "manifest.json"
_TOLD = 3


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the contract of a source made of its files."""

    files: tuple[Path, ...]
    rows: int
    bad_rows: int


def freeze_delivery(
    use_case: UseCase,
    delivered: Mapping[str, Sequence[Path]],
    out: Path,
    *,
    now: datetime,
    as_of: datetime | None = None,
) -> dict[str, int]:
    """Freeze the dataset of `use_case` from delivered files by source into `out`.

    Returns the bad rows that were put aside, by source; sources without one are left out.

    `as_of`: what was known by then counts. By default that is told by the files and not by the day, so that
    equal files give an equal dataset.

    Raises
    ------
    ContractError   a file breaks the contract of its source, or the spine's source has none
    DataError       the data-quality gate did not hold
    """
    if not delivered.get(use_case.spine.name):
        raise ContractError(
            f"Nothing was delivered of {use_case.spine.name}; {use_case.name} needs it"
        )
    with tempfile.TemporaryDirectory() as scratch, duck.connect(Path(scratch)) as connection:
        place = Path(scratch)
        aside: dict[str, int] = {}
        for source in use_case.sources():
            taken = accept(source, delivered.get(source.name, ()), place, now=now)
            duck.register_source(connection, source, taken.files)
            aside |= {source.name: taken.bad_rows} if taken.bad_rows else {}
        moment = as_of or _latest(connection, use_case, now)
        if moment > now:
            raise DataError("An as-of time in the future would promise what is not known yet")
        histories = {
            view.name: create_history(connection, view, as_of=moment, built_at=moment)
            for view in use_case.views
        }
        manifest = freezing.freeze_files(
            connection, use_case, histories, as_of=moment, place=place, environment="local"
        )
        out.mkdir(parents=True, exist_ok=True)
        for file in manifest["files"]:
            shutil.copyfile(place / file, out / file)
    # Last: a folder with a manifest is whole.
    (out / MANIFEST).write_bytes(manifest_bytes(manifest))
    return aside


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    """A manifest as it lies on disk; its SHA-256 is the dataset's digest."""
    return json.dumps(manifest, sort_keys=True, allow_nan=False).encode()


def accept(source: Source, files: Sequence[Path], place: Path, *, now: datetime) -> Accepted:
    """Hold files against the contract of `source`; what is accepted lies below `place` as ingestion stores it.

    Raises
    ------
    ContractError   a file that is not one, or with too many bad rows; the columns and rows are named
    """
    kept: list[Path] = []
    rows = bad = 0
    for path in files:
        with duck.connect(place) as connection:
            verdict = _check(connection, source, path, now)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            target = place / "accepted" / source.name / f"{digest}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            connection.execute(
                f"COPY ({contract.accepted_sql(source)}) TO {duck.quote(str(target))} (FORMAT parquet)"
            )
        kept.append(target)
        rows, bad = rows + verdict.rows, bad + verdict.bad_rows
    return Accepted(tuple(dict.fromkeys(kept)), rows, bad)


def _check(connection: Any, source: Source, path: Path, now: datetime) -> Verdict:
    names, unreadable = reading.read_raw(connection, path, reading.format_of(path.name))
    contract.check_schema(source, names)
    verdict = contract.check_rows(connection, source, names, unreadable, now=now)
    if verdict.refused:
        found = "; ".join(
            f"{f.column}: expected {f.expected} in {f.rows} rows, first row {f.first[0]}"
            for f in verdict.findings[:_TOLD]
        )
        raise ContractError(f"{source.name}: {verdict.refused}{': ' if found else ''}{found}")
    return verdict


def _latest(connection: Any, use_case: UseCase, now: datetime) -> datetime:
    """The moment by which every row of the spine had time for its label; where that is yet to come, the one
    by which everything delivered was known, and rows that are too young are left out.
    """
    sources = [duck.source_relation(source) for source in use_case.sources()]
    known = " UNION ALL ".join(f"SELECT max(known_at) AS t FROM {name}" for name in sources)
    matures = f"to_seconds({use_case.label.matures.total_seconds()})"
    spine = duck.source_relation(use_case.spine)
    last, mature = connection.execute(
        f"SELECT epoch_us((SELECT max(t) FROM ({known}))), epoch_us(max(event_time) + {matures}) "
        f"FROM {spine}"
    ).fetchone()
    if last is None or mature is None:
        raise ContractError(f"No row of {use_case.spine.name} can be used")
    moments = [_whole(int(max(last, mature))), _whole(int(last))]
    return moments[0] if moments[0] <= now else moments[1]


def _whole(microseconds: int) -> datetime:
    """The first whole second not before that moment."""
    found = duck.from_microseconds(microseconds)
    whole = found.replace(microsecond=0)
    return (whole if whole == found else whole + timedelta(seconds=1)).astimezone(UTC)


def delivered_files(folder: Path) -> dict[str, tuple[Path, ...]]:
    """The files of a delivery folder by source: `raw/<source>/**`, in order; empty when it is none."""
    found: dict[str, list[Path]] = {}
    for path in sorted((folder / "raw").rglob("*")):
        source = path.relative_to(folder / "raw").parts[0]
        if path.is_file() and not source.startswith("_"):
            found.setdefault(source, []).append(path)
    return {source: tuple(files) for source, files in found.items()}
