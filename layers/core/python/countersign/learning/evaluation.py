"""A verified candidate judged on the test rows in its serving form: `evaluation.json` and its verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from countersign.declare import CostMatrix, UseCase
from countersign.learning import class_evaluation, fairness, importance
from countersign.learning.dataset import Rows
from countersign.learning.metrics import judge_gate, known, latency_p95_ms, measure, score_psi
from countersign.learning.scoring import Scores, score_with
from countersign.learning.threshold import curve
from countersign.statistics.classification import (
    calibration_bins,
    confusion,
    pr_points,
    roc_points,
    score_histogram,
)
from countersign.statistics.paired import mcnemar
from countersign.statistics.proportions import Interval

if TYPE_CHECKING:
    from countersign.serving.session import ModelSession


@dataclass(frozen=True, slots=True)
class Verdict:
    """`document` is evaluation.json, `metrics` its figures by name (null where undefined)."""

    document: dict[str, Any]
    metrics: dict[str, float | None]
    passed: bool
    failed: list[str]


def judge(
    use_case: UseCase,
    session: ModelSession,
    manifest: Mapping[str, Any],
    *,
    valid: Rows,
    test: Rows,
    created_at: str,
) -> Verdict:
    """Score `test` as it would be served and hold every declared gate and group against it."""
    seed = int(manifest["seed"])
    judged = _judge_classes if session.classes else _judge_binary
    found, parts = judged(use_case, session, valid, test, seed)
    found["latency_p95_ms"] = _plain(latency_p95_ms(session, test))
    figures = known(found)
    gates = [judge_gate(gate, figures) for gate in use_case.gates]
    failed = [gate["metric"] for gate in gates if not gate["passed"]]
    failed += ["fairness"] if parts["fairness"]["verdict"] == "FAIL" else []
    document = {
        "schema": 1,
        **{name: manifest[name] for name in ("use_case", "run_id")},
        "created_at": created_at,
        "artifact_digest": session.digest,
        "model": {
            "kind": manifest["model_type"],
            "hyperparameters": manifest["hyperparameters"],
            "seed": seed,
        },
        "passed": not failed,
        "dataset": _dataset(manifest, session),
        "split": manifest["split"],
        "metrics": {name: asdict(interval) for name, interval in found.items()},
        "gates": gates,
        **parts,
    }
    return Verdict(document, {name: figures.get(name) for name in found}, not failed, failed)


def _judge_binary(
    use_case: UseCase, session: ModelSession, valid: Rows, test: Rows, seed: int
) -> tuple[dict[str, Interval], dict[str, Any]]:
    """The figures of a model of one score, and its part of the document."""
    scores = score_with(session, test)
    found = measure(test.label, scores.final, session.threshold, use_case.costs)
    found["score_psi"] = _plain(score_psi(score_with(session, valid).final, scores.final))
    cluster = use_case.entities[0].key
    selected = scores.final >= session.threshold
    return found, {
        **_pictures(use_case.costs, session, test, scores),
        "importance": importance.permutation(session, test, seed=seed),
        "importance_kind": importance.KIND,
        "fairness": fairness.audit(use_case.fairness, test, selected, cluster=cluster, seed=seed),
        "rules_comparison": compare_with_rules(use_case.costs, session, test, scores),
    }


def _judge_classes(
    use_case: UseCase, session: ModelSession, valid: Rows, test: Rows, seed: int
) -> tuple[dict[str, Interval], dict[str, Any]]:
    """The figures of a model of classes, and its part of the document."""
    scores = class_evaluation.probabilities(session, test)
    before = class_evaluation.probabilities(session, valid)
    found = class_evaluation.figures(use_case, test, scores)
    found["score_psi"] = _plain(score_psi(before.max(axis=1), scores.max(axis=1)))
    right = class_evaluation.recommended(use_case, test, scores) == test.target
    return found, {
        **class_evaluation.pictures(use_case, test, scores),
        "importance": class_evaluation.permutation(session, test, seed=seed),
        "importance_kind": class_evaluation.IMPORTANCE,
        "fairness": fairness.audit(
            use_case.fairness,
            test,
            right,
            cluster=use_case.entities[0].key,
            seed=seed,
            truth=np.ones(len(test), dtype=np.bool_),
        ),
        "rules_comparison": class_evaluation.against_rules(use_case, test, scores),
    }


def _plain(value: float) -> Interval:
    """A figure without an interval."""
    return Interval(value if math.isfinite(value) else None, None, None)


def _dataset(manifest: Mapping[str, Any], session: ModelSession) -> dict[str, Any]:
    parts = [manifest["split"][name] for name in ("train", "valid", "test")]
    return {
        "dataset_id": manifest["dataset_id"],
        "dataset_digest": manifest["dataset_digest"],
        "as_of": manifest["as_of"],
        "rows": sum(part["rows"] for part in parts),
        "positives": sum(part["positives"] for part in parts),
        "features": len(session.features),
        "synthetic": manifest["synthetic"],
    }


def _pictures(
    costs: CostMatrix, session: ModelSession, test: Rows, scores: Scores
) -> dict[str, Any]:
    """The curves and tables of the final score on the test rows."""
    labels, final = test.label, scores.final
    return {
        "threshold": {
            "value": session.threshold,
            "cost_false_negative": costs.false_negative_minor,
            "cost_false_positive": costs.false_positive_minor,
            "currency": costs.currency,
            "cost_curve": curve(labels, final, costs),
        },
        "roc": roc_points(labels, final),
        "pr": pr_points(labels, final),
        "calibration": calibration_bins(labels, final),
        "confusion": asdict(confusion(labels, final >= session.threshold)),
        "score_histogram": score_histogram(labels, final),
    }


def compare_with_rules(
    costs: CostMatrix, session: ModelSession, test: Rows, scores: Scores
) -> dict[str, Any]:
    """Rules alone, model alone, and both, each at its own cost-optimal threshold of the validation rows.

    `discordant` counts the rows that only the model, or only the rules, decide right; `p` is McNemar's.
    """
    decision = session.serving["decision"]
    contestants = {
        "rules": (scores.rules, float(decision["rules_only_threshold"])),
        "model": (scores.model, float(decision["model_only_threshold"])),
        "hybrid": (scores.final, session.threshold),
    }
    figures = {}
    for name, (values, threshold) in contestants.items():
        found = known(measure(test.label, values, threshold, costs))
        figures[name] = {m: found.get(m) for m in _COMPARED}
    right = {
        name: (values >= threshold) == test.label
        for name, (values, threshold) in contestants.items()
    }
    model_only = int((right["model"] & ~right["rules"]).sum())
    rules_only = int((right["rules"] & ~right["model"]).sum())
    return {
        **figures,
        "discordant": {"model_only": model_only, "rules_only": rules_only},
        "p": mcnemar(model_only, rules_only).p,
    }


_COMPARED = ("auc", "average_precision", "precision", "recall", "f1", "false_positive_rate", "cost")
