"""Documents as the evaluation and the monitor write them, made by the product's own statistics."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
from countersign.monitoring import baseline, drift
from countersign.statistics import auc_compare, classification, proportions

FEATURES = (
    "worker_gross_pay_6m_mean",
    "worker_gross_pay_6m_std",
    "worker_net_to_gross_ratio_trend",
    "country_avg_gross_pay",
    "client_error_rate_12m",
    "current_payslip_z_score",
    "has_change_this_period",
    "days_since_last_payroll",
    "error_count_rolling_3m",
)


def evaluation(*, passed: bool = True, rows: int = 3_000, seed: int = 1) -> dict[str, Any]:
    """An evaluation of a made-up model that is good enough, or that fails a gate."""
    generator = np.random.default_rng(seed)
    y = generator.random(rows) < 0.04
    s = np.clip(generator.beta(2, 8, rows) + y * generator.normal(0.45, 0.2, rows), 0, 1)
    miss, alarm = 50_000.0, 1_500.0
    threshold = classification.cost_optimal_threshold(
        y, s, false_negative=miss, false_positive=alarm
    )
    d = s >= threshold
    counts = classification.confusion(y, d)
    metrics = {
        "auc": asdict(auc_compare.auc_interval(y, s)),
        "average_precision": asdict(
            auc_compare.bootstrap_interval(y, s, classification.average_precision, resamples=50)
        ),
        **{name: asdict(value) for name, value in classification.rates(counts).items()},
    }
    at_least = 0.5 if passed else 0.99
    recall = metrics["recall"]["value"]
    countries = generator.choice(
        ["DE", "FR", "IE", "US", "MT"], rows, p=[0.4, 0.3, 0.2, 0.095, 0.005]
    )
    country = proportions.group_rates(countries, y, d, ratio_at_least=0.5)
    model = {name: metrics[name]["value"] for name in ("precision", "recall", "f1")}
    document = {
        "schema": 1,
        "use_case": "payroll_anomaly",
        "run_id": "payroll-anomaly-20261121-0602",
        "created_at": "2026-11-21T06:02:00.000000Z",
        "model": {"kind": "isolation_forest", "hyperparameters": {"trees": 200}, "seed": 7},
        "passed": passed,
        "dataset": {
            "dataset_id": "payroll_anomaly-1f2e3d",
            "dataset_digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "as_of": "2026-11-20T00:00:00.000000Z",
            "rows": rows * 5,
            "positives": int(y.sum()) * 5,
            "features": len(FEATURES),
            "synthetic": True,
        },
        "split": {
            "kind": "time",
            "train": {"rows": rows * 3, "positives": 360, "from": "2024-01-01", "to": "2025-11-30"},
            "valid": {"rows": rows, "positives": 118, "from": "2025-12-01", "to": "2026-05-31"},
            "test": {"rows": rows, "positives": int(y.sum()), "from": "2026-06-01", "to": None},
        },
        "metrics": metrics,
        "gates": [
            {
                "metric": "auc",
                "at_least": 0.8,
                "at_most": None,
                "value": metrics["auc"]["value"],
                "passed": True,
            },
            {
                "metric": "recall",
                "at_least": at_least,
                "at_most": None,
                "value": recall,
                "passed": passed,
            },
            {
                "metric": "false_positive_rate",
                "at_least": None,
                "at_most": 0.3,
                "value": 0.08,
                "passed": True,
            },
        ],
        "threshold": {
            "value": threshold,
            "cost_false_negative": miss,
            "cost_false_positive": alarm,
            "currency": "EUR",
            "cost_curve": classification.cost_curve(
                y, s, false_negative=miss, false_positive=alarm
            ),
        },
        "roc": classification.roc_points(y, s),
        "pr": classification.pr_points(y, s),
        "calibration": classification.calibration_bins(y, s),
        "confusion": asdict(counts),
        "score_histogram": classification.score_histogram(y, s),
        "importance": [{"feature": f, "value": 0.2 / (i + 1)} for i, f in enumerate(FEATURES)],
        "importance_kind": "Permutation: fall of AUC when the feature is shuffled",
        "fairness": {"verdict": country["verdict"], "reasons": [], "groups": {"country": country}},
        "rules_comparison": {
            "rules": {"precision": 0.31, "recall": 0.44, "f1": 0.36},
            "model": model,
            "hybrid": {"precision": 0.4, "recall": 0.8, "f1": 0.53},
            "discordant": {"model_only": 61, "rules_only": 12},
            "p": 1.2e-8,
        },
    }
    return dict(json.loads(json.dumps(document, allow_nan=False)))


def world(rows: int, seed: int, *, moved: bool) -> tuple[dict[str, Any], Any]:
    """Payroll features, as trained on or after a jump in pay."""
    g = np.random.default_rng(seed)
    up = 1.25 if moved else 1.0
    columns = [
        np.exp(g.normal(8, 0.4, rows)) * up,
        np.exp(g.normal(5, 0.6, rows)),
        g.normal(0, 0.02, rows),
        g.choice([2_800.0, 3_900.0, 5_100.0], rows) * up,
        g.beta(1, 30, rows),
        g.normal(0.9 if moved else 0, 1.2, rows),
        (g.random(rows) < 0.1).astype(float),
        g.choice([14.0, 28.0, 30.0, 31.0], rows, p=[0.1, 0.2, 0.3, 0.4]),
        np.where(g.random(rows) < 0.05, np.nan, g.poisson(0.2, rows)),
    ]
    return dict(zip(FEATURES, columns, strict=True)), np.clip(
        g.beta(2, 8, rows) + 0.1 * moved, 0, 1
    )


def drift_record(rows: int = 900, *, moved: bool = True) -> dict[str, Any]:
    """A week's record, as `steps.monitor` writes it."""
    frozen = baseline.freeze(*world(8_000, 1, moved=False))
    compared = drift.compare(frozen, *world(rows, 2, moved=moved))
    document = {
        "schema": 1,
        "kind": "drift",
        "use_case": "payroll_anomaly",
        "version": "1.2.0",
        "week": "2026-W47",
        "from": "2026-11-16",
        "to": "2026-11-22",
        "complete": False,
        "computed_at": "2026-11-21T06:02:00.000000Z",
        "inputs": {
            "predictions": rows,
            "digest": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
            "baseline_key": "baselines/payroll_anomaly/1.2.0.json",
        },
        **compared,
    }
    return dict(json.loads(json.dumps(document, allow_nan=False)))
