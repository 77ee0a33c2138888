"""The nine steps of a training at a desk, in order; what they leave is a run folder or nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from countersign.clock import Clock, iso
from countersign.declare import UseCase
from countersign.errors import RequestError
from countersign.workbench import delivery, finishing, folder, runs
from countersign.workbench.config import Config, Search
from countersign.workbench.declared import wanted
from countersign.workbench.flat import DECLARATION
from countersign.workbench.search.tries import Found, seek

SEARCH = "search.json"
CONFIG = "config.yaml"


class Teller(Protocol):
    """Who is told how far it has come."""

    def begin(self, step: str) -> None:
        """A step begins."""

    def at(self, done: int, total: int, note: str = "") -> None:
        """So much of it is done."""

    def end(self, note: str) -> None:
        """It is done, and this came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to train, from what, into which folder.

    `delivered`: files by source, to be frozen; or `frozen`: a dataset folder. `declaration`: the facts of a use
    case that was declared on the spot. `facts`: what is known of the file, for the record.
    """

    use_case: UseCase
    config: Config
    out: Path
    run_id: str
    delivered: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    frozen: Path | None = None
    declaration: Mapping[str, Any] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that was judged: its record, `evaluation.json`, and the class report."""

    folder: Path
    run: dict[str, Any]
    document: dict[str, Any]
    report: list[dict[str, Any]]


@dataclass(slots=True)
class _Timed:
    """Steps told as they begin and end, with the seconds that each took."""

    tell: Teller
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, text: str) -> Iterator[list[str]]:
        """One step; what is put in the list is told at its end."""
        started = time.perf_counter()
        notes: list[str] = []
        self.tell.begin(text)
        yield notes
        self.seconds[name] = round(time.perf_counter() - started, 3)
        self.tell.end("; ".join(notes))


def new_run_id(now: datetime, *parts: str) -> str:
    """`20261121T104500Z-3fa9c1`: the moment, and six digits of what was asked for."""
    asked = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:6]
    return f"{now:%Y%m%dT%H%M%SZ}-{asked}"


def check_out(out: Path) -> None:
    """Raise RequestError when the folder is there and holds anything: a run is never written over."""
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise RequestError(f"{out} is there already; name a new folder with --out")


def train(job: Job, tell: Teller, *, clock: Clock | None = None) -> Ended:
    """Load, split, weigh, seek, train, export, judge, log; the folder appears whole or not at all.

    Raises
    ------
    RequestError    the configuration does not fit
    DataError       the data refuses to be learned from; no folder is left
    """
    check_out(job.out)
    part = job.out.with_name(f".{job.out.name}.{os.getpid()}.part")
    part.mkdir(parents=True)
    try:
        made = _Desk(job, part, clock or Clock(), _Timed(tell)).work()
        if job.out.is_dir():
            job.out.rmdir()
        part.replace(job.out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return replace(made, folder=job.out)


@dataclass(slots=True)
class _Desk:
    """One training at work."""

    job: Job
    place: Path
    clock: Clock
    timed: _Timed

    def work(self) -> Ended:
        plan = wanted(self.job.use_case, self.job.config)
        use_case, search = plan.use_case, plan.search
        channel = self._open(use_case)
        found = self._seek(use_case, channel, search) if search else None
        if found:
            settings = {**use_case.model.hyperparameters, **found.best}
            use_case = replace(use_case, model=replace(use_case.model, hyperparameters=settings))
        record = self._train(use_case, channel, found)
        with self.timed.step(
            "export", "Export to ONNX and hold it against the native model"
        ) as notes:
            exported = finishing.export_run(self.place)
            notes.append(
                f"{exported.parity['golden_rows']} golden vectors, "
                f"at most {exported.parity['max_abs_difference']:.1g} apart"
            )
        with self.timed.step(
            "evaluate", "Evaluate on the test rows, against the rules too"
        ) as notes:
            verdict = finishing.judge_run(
                use_case, self.place, channel, exported,
                created_at=iso(self.clock.now()), search=found.document if found else None,
            )  # fmt: skip
            failed = ", ".join(verdict.failed)
            notes.append("every gate holds" if verdict.passed else f"held back by {failed}")
        run = self._log(record, verdict.document)
        return Ended(self.place, run, verdict.document, verdict.document["class_report"])

    def _open(self, use_case: UseCase) -> folder.Channel:
        """Load and split: freeze what was delivered, or take what is frozen."""
        order = "by time" if use_case.split.order == "time" else "stratified"
        with self.timed.step("load", f"Freeze the dataset and split it {order}") as notes:
            at = self.job.frozen or self.place / "dataset"
            if not self.job.frozen:
                aside = delivery.freeze_delivery(
                    use_case, self.job.delivered, at,
                    now=self.clock.now(), as_of=self.job.config.as_of,
                )  # fmt: skip
                notes += [f"{count} rows of {name} put aside" for name, count in aside.items()]
            if self.job.declaration:
                target = at if not self.job.frozen else self.place
                finishing.write_json(target / DECLARATION, self.job.declaration)
            channel = folder.open_folder(at, use_case)
            if self.job.frozen:
                manifest = (at / delivery.MANIFEST).read_bytes()
                (self.place / "dataset_manifest.json").write_bytes(manifest)
            notes += [
                f"{n} {len(part)} rows, {part.positives} positive"
                for n, part in channel.splits.items()
            ]
        return channel

    def _seek(self, use_case: UseCase, channel: folder.Channel, search: Search) -> Found:
        text = f"Seek hyperparameters ({search.method}, {search.scoring})"
        with self.timed.step("search", text) as notes:

            def told(done: int, total: int, best: float | None) -> None:
                note = "none could be fitted yet" if best is None else f"best {best:.4g}"
                self.timed.tell.at(done, total, note)

            found = seek(use_case, channel.splits["train"], search, told)
            best = found.document["best"]
            notes.append(f"{search.scoring} {best['mean']:.4g} in try {best['n']}")
        finishing.write_json(self.place / SEARCH, found.document)
        return found

    def _train(
        self, use_case: UseCase, channel: folder.Channel, found: Found | None
    ) -> dict[str, Any]:
        with self.timed.step("train", f"Train {use_case.model.trainer}") as notes:
            rows = channel.splits["train"]
            if not use_case.label.classes and rows.positives:
                weight = (len(rows) - rows.positives) / rows.positives
                notes.append(f"{weight:.4g} negatives to a positive")
            return folder.train_opened(
                channel, self.place, use_case, run_id=self.job.run_id, clock=self.clock,
                found_by=_how(found) if found else None,
                progress=lambda done, total: self.timed.tell.at(done, total, "rounds"),
            )  # fmt: skip

    def _log(self, record: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
        """Log everything: the configuration, the digest, and last the record of the run."""
        text = self.job.config.text or f"use_case: {self.job.use_case.name}\n"
        (self.place / CONFIG).write_text(text, encoding="utf-8")
        (self.place / "dataset.sha256").write_text(f"{record['dataset_digest']}\n")
        facts = {"dataset": dict(self.job.facts), "seconds": self.timed.seconds}
        run = runs.describe_run(self.place, record=record, document=document, facts=facts)
        (self.place / runs.RUN).write_text(json.dumps(run, indent=1, allow_nan=False))
        return run


def _how(found: Found) -> dict[str, Any]:
    """What the model's record says of the search; the tries themselves are in `search.json`."""
    kept = ("method", "scoring", "seed", "split", "space", "best")
    return {
        **{name: found.document[name] for name in kept},
        "folds": len(found.document["folds"]),
        "tries": len(found.document["tries"]),
        "failed": sum(1 for made in found.document["tries"] if made["failed"]),
    }
