"""A model version: its record, and the semantic version that follows from what changed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any, Literal

from countersign.errors import DataError, RequestError

Stage = Literal["None", "Staging", "Production", "Archived"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRecord:
    """What is known of a version at its birth; nothing in it ever changes.

    `digest` is the SHA-256 of its manifest. `authors` are all who proposed, requested or trained it,
    as {person, role}. `gates` are the judged gates as in evaluation.json; `environment` has the Python
    version, the digest of the locked dependencies and the commit.

    Of the evaluation: `metrics` by name, null where undefined, and their `intervals` [low, high];
    `recall` and `false_positive` (the rate) are those of the test rows. What a kind of model cannot
    have is None, and `unknown` says why: a model of classes has no threshold.

    Of the origin: `as_of`, the `windows` of train, valid and test rows {rows, positives, from, to}, the
    features that a score depends on by view (`features_used`), the views' `definitions`, the `seed`,
    `scoring` (rules, weights and strategies: how a score becomes a decision), and the `interface`
    {request, classes, strategies} by name. `after` and `why`: how the version got its number.
    """

    use_case: str
    version: str
    digest: str
    run_id: str
    model_type: str
    owner: str
    training_date: str
    dataset_id: str
    dataset_digest: str
    feature_list: tuple[str, ...]
    feature_code_digest: str
    input_schema_digest: str
    output_schema_digest: str
    hyperparameters: dict[str, Any]
    environment: dict[str, Any]
    metrics: dict[str, float | None]
    gates_passed: bool
    gates: tuple[dict[str, Any], ...]
    fairness_audit: str
    cost_optimal_threshold: float | None
    evaluation_digest: str
    eval_report_key: str
    authors: tuple[dict[str, str], ...]
    synthetic: bool = False
    trigger_id: str = ""
    validation_window: dict[str, Any] = field(default_factory=dict)
    recall: float | None = None
    false_positive: float | None = None
    intervals: dict[str, list[float | None]] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    serving_endpoint: str | None = None
    as_of: str = ""
    windows: dict[str, dict[str, Any]] = field(default_factory=dict)
    features_used: dict[str, list[str]] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    scoring: dict[str, Any] = field(default_factory=dict)
    interface: dict[str, list[str]] = field(default_factory=dict)
    after: str = ""
    why: str = ""

    def document(self) -> str:
        """Canonical JSON. Raises DataError for NaN or infinity."""
        return canonical(asdict(self))

    @classmethod
    def from_document(cls, text: str) -> VersionRecord:
        """The record of a canonical JSON. Raises DataError naming what it lacks."""
        raw = json.loads(text)
        if lacking := sorted(_REQUIRED - set(raw)):
            raise DataError(f"The record is not whole, it lacks {', '.join(lacking)}")
        for name in ("feature_list", "gates", "authors"):
            raw[name] = tuple(raw[name])
        return cls(**{f.name: raw[f.name] for f in fields(cls) if f.name in raw})

    def record_digest(self) -> str:
        """SHA-256 of the record: evidence names it, so that an edited record voids approvals."""
        return hashlib.sha256(self.document().encode()).hexdigest()


_REQUIRED = {
    f.name for f in fields(VersionRecord) if f.default is MISSING and f.default_factory is MISSING
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A registered version: its record, and the parts that its life changes."""

    record: VersionRecord
    stage: Stage
    registered_at: str
    quarantined: bool = False
    archived_at: str = ""
    deleted_at: str = ""
    deleted_by: str = ""
    deployed_at: str = ""
    deployed_by: str = ""
    rollback_version: str = ""
    last_monitored: str = ""
    current_recall: float | None = None
    current_false_positive_rate: float | None = None
    current_accuracy: float | None = None
    drift_detected: bool = False
    next_retrain: str = ""

    @property
    def version(self) -> str:
        """Semantic version."""
        return self.record.version

    @property
    def digest(self) -> str:
        """SHA-256 of its manifest."""
        return self.record.digest

    @property
    def run_id(self) -> str:
        """The training run that made it."""
        return self.record.run_id

    @property
    def dataset_id(self) -> str:
        """The frozen training set."""
        return self.record.dataset_id

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, the record's fields at the top."""
        life = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "record"}
        return {**asdict(self.record), **life}


def canonical(document: Any) -> str:
    """JSON with sorted keys and no spaces: equal documents are equal text."""
    try:
        return json.dumps(document, sort_keys=True, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise DataError("NaN or infinity in a record; leave an unknown metric null") from error


def parse_version(text: str) -> tuple[int, int, int]:
    """`1.2.3` → (1, 2, 3). Raises RequestError for anything else."""
    parts = text.split(".")
    if len(parts) != 3 or not all(p.isascii() and p.isdigit() and len(p) <= 6 for p in parts):
        raise RequestError("A version is three numbers, such as 1.2.0")
    return int(parts[0]), int(parts[1]), int(parts[2])


def sort_key(text: str) -> str:
    """`1.2.3` → `000001.000002.000003`, which sorts as text."""
    return ".".join(f"{number:06d}" for number in parse_version(text))
