"""A verified candidate judged on the test rows in its serving form: `evaluation.json` and its verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from countersign.declare import UseCase
from countersign.learning import binary_evaluation, class_evaluation, fairness, importance
from countersign.learning.contest import compare_with_rules
from countersign.learning.dataset import Rows
from countersign.learning.intervals import told, with_interval
from countersign.learning.metrics import judge_gate, known, latency_p95_ms, measure, score_psi
from countersign.learning.scoring import score_with
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
    gates = [with_interval(judge_gate(gate, figures), gate, found) for gate in use_case.gates]
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
            "found": dict(manifest.get("found") or {}),
        },
        "passed": not failed,
        "dataset": _dataset(manifest, session),
        "split": manifest["split"],
        "metrics": {name: told(name, interval) for name, interval in found.items()},
        "gates": gates,
        **parts,
    }
    return Verdict(document, {name: figures.get(name) for name in found}, not failed, failed)


def _judge_binary(
    use_case: UseCase, session: ModelSession, valid: Rows, test: Rows, seed: int
) -> tuple[dict[str, Interval], dict[str, Any]]:
    """The figures of a model of one score, and its part of the document."""
    costs, scores, before = use_case.costs, score_with(session, test), score_with(session, valid)
    found = measure(test.label, scores.final, session.threshold, costs)
    found["score_psi"] = _plain(score_psi(before.final, scores.final))
    return found, {
        "threshold": binary_evaluation.threshold_facts(
            costs, session, (valid, before), (test, scores)
        ),
        **binary_evaluation.pictures(costs, session, test, scores),
        "importance": importance.permutation(session, test, seed=seed),
        "importance_kind": importance.KIND,
        "fairness": fairness.audit(
            use_case.fairness,
            test,
            scores.final >= session.threshold,
            cluster=use_case.entities[0].key,
            seed=seed,
            scores=scores.final,
        ),
        "rules_comparison": compare_with_rules(costs, session, test, scores),
    }


def _judge_classes(
    use_case: UseCase, session: ModelSession, valid: Rows, test: Rows, seed: int
) -> tuple[dict[str, Interval], dict[str, Any]]:
    """The figures of a model of classes, and its part of the document."""
    scores = class_evaluation.probabilities(session, test)
    before = class_evaluation.probabilities(session, valid)
    found = class_evaluation.figures(use_case, test, scores)
    found["score_psi"] = _plain(score_psi(before.max(axis=1), scores.max(axis=1)))
    chosen = class_evaluation.recommended(use_case, test, scores)
    return found, {
        **class_evaluation.pictures(use_case, test, scores),
        "importance": class_evaluation.permutation(session, test, seed=seed),
        "importance_kind": class_evaluation.IMPORTANCE,
        "fairness": fairness.audit(
            use_case.fairness,
            test,
            chosen == test.target,
            cluster=use_case.entities[0].key,
            seed=seed,
            truth=np.ones(len(test), dtype=np.bool_),
            scores=scores.max(axis=1),
        ),
        "recommended_by_group": class_evaluation.shares_by_group(use_case, test, chosen),
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
