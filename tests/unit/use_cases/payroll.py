"""A few facts of payroll by hand, and the features they make."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from countersign import use_cases
from countersign.declare import FeatureView, Source, UseCase
from countersign.features import asof, contract, duck, pointintime, reading
from countersign.features.engine import create_stream
from countersign.features.history import create_history

USE_CASE: UseCase = use_cases.get("payroll_anomaly")
LATER = datetime(2026, 11, 21, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)
Row = dict[str, Any]


def slip(number: int, pay_date: str, gross: int, **changes: Any) -> Row:
    """A monthly payslip of worker W-1 in Germany, known six hours after pay day; net is 60 %."""
    day = datetime.fromisoformat(pay_date).replace(tzinfo=UTC)
    first = day.replace(day=1)
    row = {
        "payslip_id": f"P-{number}", "worker_id": "W-1", "client_id": "C-1", "country": "DE",
        "currency": "EUR", "pay_frequency": "monthly", "contract_type": "permanent",
        "period_start": f"{first:%Y-%m-%d}", "period_end": pay_date, "pay_date": pay_date,
        "gross_pay_minor": gross, "net_pay_minor": gross * 6 // 10,
        "deductions_minor": gross - gross * 6 // 10, "bonus_minor": 0, "deduction_lines": 5,
        "revision": 0, "known_at": (day + timedelta(hours=6)).isoformat(),
    }  # fmt: skip
    return row | changes


def change(number: int, kind: str, day: str, **changes: Any) -> Row:
    """A change of worker W-1, known a week ahead."""
    known = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(days=7)
    row = {
        "change_id": f"CH-{number}", "worker_id": "W-1", "client_id": "C-1", "kind": kind,
        "effective_date": day, "known_at": known.isoformat(),
    }  # fmt: skip
    return row | changes


def error(number: int, payslip: int, day: str, known_at: str, **changes: Any) -> Row:
    row = {
        "error_id": f"E-{number}", "payslip_id": f"P-{payslip}", "worker_id": "W-1",
        "client_id": "C-1", "kind": "wrong_decimal", "severity": "high", "occurred_at": day,
        "known_at": f"{known_at}T00:00:00Z",
    }  # fmt: skip
    return row | changes


def exception(number: int, day: str) -> Row:
    return {
        "exception_id": f"X-{number}", "worker_id": "W-1", "client_id": "C-1",
        "kind": "late_input", "raised_at": f"{day}T09:00:00Z", "known_at": f"{day}T10:00:00Z",
    }  # fmt: skip


def headcount(day: str, people: int) -> Row:
    return {
        "client_id": "C-1", "headcount": people, "as_of_date": day, "known_at": f"{day}T08:00:00Z",
    }  # fmt: skip


def regulation(name: str, day: str) -> Row:
    return {
        "country": "DE", "regulatory_change": name, "effective_date": day,
        "known_at": "2025-01-01T00:00:00Z",
    }  # fmt: skip


WHO = {"worker_id": "W-1", "client_id": "C-1", "country": "DE"}


class Facts:
    """Delivered rows in a session: taken in by the same contract and engine as in the cloud."""

    def __init__(
        self,
        folder: Path,
        cases: Sequence[UseCase] = (USE_CASE,),
        who: Mapping[str, str] = WHO,
    ) -> None:
        self.connection = duck.connect(folder)
        self._folder, self._who = folder, who
        self._views: list[FeatureView] = [view for case in cases for view in case.views]
        self._sources: dict[str, Source] = {s.name: s for case in cases for s in case.sources()}
        self._files: dict[str, list[Path]] = {name: [] for name in self._sources}
        for source in self._sources.values():
            duck.register_source(self.connection, source, [])

    def deliver(self, name: str, rows: Sequence[Row]) -> None:
        """One file of a source; every row must be accepted."""
        number = sum(map(len, self._files.values()))
        path = self._folder / f"{name}-{number}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        source = self._sources[name]
        names, unreadable = reading.read_raw(self.connection, path, "jsonl")
        verdict = contract.check_rows(self.connection, source, names, unreadable, now=LATER)
        assert not verdict.findings, verdict.findings
        target = path.with_suffix(".parquet")
        self.connection.execute(
            f"COPY ({contract.accepted_sql(source)}) TO {duck.quote(str(target))} (FORMAT parquet)"
        )
        self._files[name].append(target)
        duck.register_source(self.connection, source, self._files[name])

    def value(self, feature: str, at: str, **ids: str) -> float | None:
        """A view's feature as of `at`, by the engine and by its history; they must agree."""
        view = next(v for v in self._views if feature in {f.name for f in v.features})
        moment = datetime.fromisoformat(at)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        identity = {**self._who, **ids}
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE asked AS SELECT '{identity[view.entity.key]}' AS "
            f"{view.entity.key}, '{moment.isoformat()}'::TIMESTAMPTZ AS as_of"
        )
        stream = create_stream(self.connection, view, known_by=duck.timestamp(END))
        direct = pointintime.direct_sql(view, stream, "asked")
        (one,) = self.connection.execute(f"SELECT {feature} FROM ({direct})").fetchone()
        history = create_history(self.connection, view, as_of=END, built_at=END)
        joined = asof.join_sql(self.connection, "asked", [(view, history)])
        (other,) = self.connection.execute(f"SELECT {feature} FROM ({joined})").fetchone()
        assert one == other
        return None if one is None else float(one)
