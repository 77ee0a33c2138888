"""From the rows of a frozen dataset to a fitted model with its threshold, constants and golden vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from countersign.declare import UseCase
from countersign.learning import environment, golden, readiness, threshold, trainers
from countersign.learning.dataset import Dataset, Rows
from countersign.learning.fills import fill_constants, realistic_ranges
from countersign.learning.native import Floats
from countersign.learning.scoring import Scores, add_rules
from countersign.learning.spec import spec_of
from countersign.learning.trainers.lesson import Examples, Fitted, Lesson
from countersign.serving import strategies
from countersign.serving.preprocess import matrix
from countersign.serving.rules import rules_to_json, rules_version

_A_YEAR = 365 * 86_400_000_000  # microseconds


@dataclass(frozen=True, slots=True)
class Trained:
    """`files` by name: the native model and the golden vectors. `serving` is `serving.json` to be.

    `reference` and `reference_scores` (final scores) are what monitoring freezes as its baseline;
    `found` is what the trainer found out (rounds, calibration), `thresholds` holds the cost curves, `split`
    the rows, positives and time span of each split.
    """

    files: dict[str, bytes]
    serving: dict[str, Any]
    hyperparameters: dict[str, Any]
    found: dict[str, Any]
    thresholds: dict[str, Any]
    split: dict[str, Any]
    reference: Mapping[str, Floats]
    reference_scores: Floats


def train(
    use_case: UseCase,
    splits: Mapping[str, Rows],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Trained:
    """Fit the declared model on `train`, set its threshold on `valid`; `test` is only counted.

    Raises the errors of `readiness.check`, and DataError for a hyperparameter nobody knows.
    """
    readiness.check(
        splits, inputs=use_case.inputs, split=use_case.split, classes=use_case.label.classes
    )
    spec = use_case.model
    trainer = trainers.get(spec.trainer)
    fills = fill_constants(use_case, splits["train"], takes_nulls=trainer.TAKES_NULLS)
    examples = {
        name: Examples(
            rows=matrix(use_case.inputs, fills, splits[name].columns), target=splits[name].target
        )
        for name in ("train", "valid")
    }
    fitted: Fitted = trainer.fit(
        Lesson(
            **examples,
            classes=use_case.label.classes,
            hyperparameters=spec.hyperparameters,
            members=spec.members,
            seed=spec.seed,
            progress=progress,
        )
    )
    scored = fitted.score(examples["valid"].rows)
    chosen, final = _decided(use_case, splits["valid"], scored)
    every = np.concatenate([part.rows for part in examples.values()])
    vectors = golden.choose(every, fitted.model.split_points(), fitted.score, seed=spec.seed)
    return Trained(
        files={**fitted.native_files(), "golden.npz": vectors.save()},
        serving=_serving(use_case, splits["train"], fills, chosen),
        hyperparameters=fitted.hyperparameters,
        found=fitted.found,
        thresholds={name: {"value": t.value, "curve": t.cost_curve} for name, t in chosen.items()},
        split={"kind": use_case.split.order, **{n: part.span() for n, part in splits.items()}},
        reference=_reference(use_case, splits),
        reference_scores=final,
    )


def _decided(
    use_case: UseCase, valid: Rows, scored: Floats
) -> tuple[dict[str, threshold.Threshold], Floats]:
    """The thresholds and the final score of each validation row: of classes, that of the likeliest."""
    if use_case.label.classes:
        return {}, np.asarray(scored.max(axis=1))
    scores = add_rules(scored, valid, rules=use_case.rules, hybrid=use_case.hybrid)
    return _thresholds(use_case, valid, scores), scores.final


def _reference(use_case: UseCase, splits: Mapping[str, Rows]) -> dict[str, Floats]:
    """The inputs of the newest twelve months, of every split: features only, no label is looked at.

    A year holds each payroll month once, and not the first payslips of the history, which have no past.
    """
    newest = max(int(rows.as_of.max()) for rows in splits.values())
    recent = {name: rows.as_of > newest - _A_YEAR for name, rows in splits.items()}
    return {
        name: np.concatenate([rows.columns[name][recent[s]] for s, rows in splits.items()])
        for name in use_case.inputs
    }


def _thresholds(use_case: UseCase, valid: Rows, scores: Scores) -> dict[str, threshold.Threshold]:
    """The cheapest threshold of the final score, and of model and rules each alone."""
    return {
        name: threshold.choose(valid.label, getattr(scores, name), use_case.costs)
        for name in ("final", "model", "rules")
    }


def _serving(
    use_case: UseCase,
    train_rows: Rows,
    fills: Mapping[str, float | str | None],
    chosen: Mapping[str, threshold.Threshold],
) -> dict[str, Any]:
    """`serving.json`: all that the scorer needs beside the model itself."""
    at_request = {feature.name for feature in use_case.request_features}
    least = min((rule.points for rule in use_case.rules), default=1.0)
    return {
        "schema": 1,
        "use_case": use_case.name,
        "features": list(use_case.inputs),
        "classes": list(use_case.label.classes),
        "request_time": [name for name in use_case.inputs if name in at_request],
        "fills": dict(fills),
        "ranges": {n: list(r) for n, r in realistic_ranges(use_case.inputs, train_rows).items()},
        "threshold": chosen["final"].value if chosen else 0.0,
        "score_range": [0.0, 1.0],
        "hybrid": {
            "model_weight": use_case.hybrid.model_weight,
            "rules_weight": use_case.hybrid.rules_weight,
        },
        "rules": rules_to_json(use_case.rules),
        "rules_version": rules_version(use_case.rules),
        "strategies": strategies.to_json(use_case.strategies),
        "decision": _decision(chosen, least),
    }


def _decision(chosen: Mapping[str, threshold.Threshold], least_points: float) -> dict[str, Any]:
    """How a score becomes a decision. Strategies, where there are any, are the declaration's."""
    if not chosen:
        return {}
    return {
        "at_or_above": "review",
        "below": "pass",
        "model_only_threshold": chosen["model"].value,
        # Without a model a row needs at least one rule to be looked at, and full points suffice.
        "rules_only_threshold": min(1.0, max(least_points, chosen["rules"].value)),
    }


def describe(use_case: UseCase, dataset: Dataset, trained: Trained) -> dict[str, Any]:
    """The model's birth certificate, as far as training knows it: most of `training.json`."""
    return {
        "schema": 1,
        "use_case": use_case.name,
        "trainer": use_case.model.trainer,
        "seed": use_case.model.seed,
        "hyperparameters": trained.hyperparameters,
        "declared": spec_of(use_case, trained.hyperparameters),
        "found": trained.found,
        "dataset_id": dataset.dataset_id,
        "dataset_digest": dataset.digest,
        "synthetic": bool(dataset.manifest["synthetic"]),
        "feature_code_digest": dataset.manifest.get("feature_code_digest", ""),
        "as_of": dataset.manifest.get("as_of"),
        "split": trained.split,
        "serving": trained.serving,
        "thresholds": trained.thresholds,
        "environment": environment.describe(environment.TRAINING),
    }
