"""One delivered file: held against its contract, then stored, or put aside whole or in part."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from countersign.aws.lake import Lake
from countersign.clock import iso
from countersign.declare import Source
from countersign.errors import ContractError
from countersign.features import contract, duck, reading

_PARTITION = re.compile(r"/ingest_date=(\d{4}-\d{2}-\d{2})/")


@dataclass(slots=True)
class Taken:
    """What is known of a file while it is taken in. `evidence` is what the reason file says."""

    source: str
    sha256: str
    path: Path
    day: str
    at: str
    status: str = "accepted"
    reason: str = ""
    rows: int = 0
    bad_rows: int = 0
    duplicates: int = 0
    synthetic: bool = False
    lake_key: str = ""
    warnings: list[str] = field(default_factory=list)
    profile: dict[str, Any] = field(default_factory=dict)
    declared: Source | None = None
    connection: Any = None
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether the whole file is put aside."""
        return self.status == "quarantined"

    def close(self) -> None:
        """Let go of the session that holds the rows."""
        if self.connection is not None:
            self.connection.close()


def inspect(source: Source | None, path: Path, *, key: str, now: datetime) -> Taken:
    """Hold a file against its contract. A refusal is a finding here, not an error."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    taken = Taken(key.split("/")[1], digest, path, _day(key, now), iso(now), declared=source)
    try:
        if source is None:
            raise ContractError(f"No use case declares a source {taken.source!r}")
        taken.connection = duck.connect(path.parent)
        _check(taken, source, now)
    except ContractError as error:
        _refuse(taken, error.detail)
        taken.evidence["columns"] = [asdict(found) for found in error.errors]
    return taken


def _check(taken: Taken, source: Source, now: datetime) -> None:
    kind = reading.format_of(taken.path.name)
    names, unreadable = reading.read_raw(taken.connection, taken.path, kind)
    contract.check_schema(source, names)
    verdict = contract.check_rows(taken.connection, source, names, unreadable, now=now)
    taken.rows, taken.bad_rows = verdict.rows, verdict.bad_rows
    taken.duplicates, taken.synthetic = verdict.duplicates, verdict.synthetic
    taken.evidence["findings"] = [asdict(found) for found in verdict.findings]
    if verdict.refused:
        _refuse(taken, verdict.refused)
    elif verdict.bad_rows:
        taken.reason = f"{verdict.bad_rows} of {verdict.rows} rows were put aside"


def store(lake: Lake, taken: Taken) -> None:
    """Write the accepted rows. The key comes from the content: a second run writes the same object."""
    if taken.declared is None:
        raise ContractError(f"No use case declares a source {taken.source!r}")
    target = taken.path.with_name("accepted.parquet")
    taken.connection.execute(
        f"COPY ({contract.accepted_sql(taken.declared)}) TO {duck.quote(str(target))} "
        "(FORMAT parquet, COMPRESSION zstd)"
    )
    taken.lake_key = f"sources/{taken.source}/ingest_date={taken.day}/{taken.sha256[:12]}.parquet"
    lake.put_file(taken.lake_key, target)


def quarantine(raw: Lake, taken: Taken, *, key: str, whole: bool) -> None:
    """Put the file, or its bad rows, below `quarantine/`; the reason lies beside as `.reason.json`."""
    place = f"quarantine/{taken.source}/ingest_date={taken.day}/{key.rsplit('/', 1)[-1]}"
    if whole:
        raw.copy(key, place)
    else:
        rows = taken.path.with_name("bad-rows.csv")
        taken.connection.execute(
            f"COPY ({contract.rejected_sql()}) TO {duck.quote(str(rows))} (FORMAT csv, HEADER)"
        )
        raw.put_file(f"{place}.bad-rows.csv", rows)
    explain(raw, taken, key=key)


def explain(raw: Lake, taken: Taken, *, key: str) -> None:
    """The reason file: what was found of a delivery, by column, row number and expectation."""
    place = f"quarantine/{taken.source}/ingest_date={taken.day}/{key.rsplit('/', 1)[-1]}"
    raw.write_json(
        f"{place}.reason.json",
        {
            "file": key,
            "source": taken.source,
            "status": taken.status,
            "reason": taken.reason,
            "rows": taken.rows,
            "bad_rows": taken.bad_rows,
            "sha256": taken.sha256,
            "at": taken.at,
            **taken.evidence,
        },
    )


def _refuse(taken: Taken, reason: str) -> None:
    taken.status, taken.reason = "quarantined", reason


def _day(key: str, now: datetime) -> str:
    """The delivery's day by its key; today when the key does not tell one."""
    found = _PARTITION.search(key)
    try:
        return date.fromisoformat(found[1]).isoformat() if found else now.date().isoformat()
    except ValueError:
        return now.date().isoformat()
