"""Has the world moved since training? Counts of current rows against a baseline's frozen bins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from countersign.declare import DriftPolicy
from countersign.monitoring import feature_drift
from countersign.monitoring.baseline import Profile
from countersign.monitoring.bins import Values
from countersign.statistics.multiple import benjamini_hochberg
from countersign.statistics.psi import PsiResult, Verdict, rows_needed

SEVERITY: dict[Verdict, int] = {"alert": 3, "watch": 2, "insufficient data": 1, "stable": 0}
SCORE_SHIFT_STD = 3.0


def compare(
    baseline: Mapping[str, Any],
    features: Mapping[str, Values],
    scores: Values,
    *,
    policy: DriftPolicy | None = None,
) -> dict[str, Any]:
    """Judge current rows feature by feature, and their scores. Plain JSON, every number finite or null.

    Parameters
    ----------
    baseline : mapping
        What `monitoring.baseline.freeze` made.
    features : mapping of name to array, each of shape (n,)
        Current values. A feature of the baseline that is missing here counts as all null.
    scores : array of float, shape (k,)
        Current scores of this version; k may differ from n.
    policy : DriftPolicy, optional
        Levels, error rate, and the share of drifted features that makes it dataset drift.

    Returns
    -------
    dict
        `{status, n, m, features: [row, worst first], score: row, drifted, watched, drift_share,
        dataset_drift, psi_max, worst_feature, score_psi, score_shift_std, new_features, reason}`.
        A row has the verdict with all that it rests on: see `feature_drift.row`.
    """
    rules = policy or DriftPolicy()
    n = max(map(len, features.values()), default=len(scores))
    profiles: dict[str, Profile] = dict(baseline["features"])
    counted = {
        name: feature_drift.count(profile, features.get(name, [None] * n))
        for name, profile in profiles.items()
    }
    tests = [feature_drift.judge(p, counted[name][0], rules) for name, p in profiles.items()]
    rows = [
        feature_drift.row(name, profiles[name], *counted[name], test, q)
        for name, (test, q) in zip(profiles, _adjust(tests, rules), strict=True)
    ]
    for row in rows:
        if row["feature"] not in features:
            row["reason"] = f"the feature has vanished from the predictions; {row['reason']}"
    return _summary(baseline, rows, _score_row(baseline["score"], scores, rules), rules, n) | {
        "new_features": sorted(set(features) - set(profiles)),
    }


def _adjust(tests: list[PsiResult], rules: DriftPolicy) -> list[tuple[PsiResult, float]]:
    """Many features at once: a finding stands only if its Benjamini–Hochberg q is within alpha."""
    adjusted = benjamini_hochberg([test.p for test in tests]).tolist()
    return [(_demote(t, q, rules), q) for t, q in zip(tests, adjusted, strict=True)]


def _demote(test: PsiResult, q: float, rules: DriftPolicy) -> PsiResult:
    if test.verdict not in {"watch", "alert"} or q <= rules.alpha:
        return test
    level = rules.alert if test.verdict == "alert" else rules.watch
    return replace(
        test,
        verdict="insufficient data",
        needed=rows_needed(level, test.m, test.bins, alpha=rules.alpha),
        reason=f"PSI {test.psi:.3f} does not stand out among this many features (q {q:.2g})",
    )


def _score_row(profile: Profile, scores: Values, rules: DriftPolicy) -> dict[str, Any]:
    counts, numbers = feature_drift.count(profile, scores)
    test = feature_drift.judge(profile, counts, rules)
    return feature_drift.row("score", profile, counts, numbers, test, test.p)


def _summary(
    baseline: Mapping[str, Any],
    rows: list[dict[str, Any]],
    score: dict[str, Any],
    rules: DriftPolicy,
    n: int,
) -> dict[str, Any]:
    ranked = sorted(rows, key=lambda row: (-SEVERITY[row["verdict"]], -row["psi"], row["feature"]))
    drifted = [row["feature"] for row in ranked if row["verdict"] == "alert"]
    share = len(drifted) / len(rows) if rows else 0.0
    first = ranked[0] if ranked else score
    worst = max(first, score, key=lambda row: (SEVERITY[row["verdict"]], row["psi"]))
    shift = score.get("mean_shift_std")
    far = score["verdict"] == "alert" and shift is not None and abs(shift) > SCORE_SHIFT_STD
    return {
        "status": worst["verdict"],
        "reason": _because(worst, drifted, n),
        "n": n,
        "m": baseline["rows"],
        "features": ranked,
        "score": score,
        "drifted": drifted,
        "watched": [row["feature"] for row in ranked if row["verdict"] == "watch"],
        "drift_share": share,
        "dataset_drift": share > rules.dataset_share,
        "psi_max": first["psi"],
        "worst_feature": first["feature"],
        "score_psi": score["psi"],
        "score_shift_std": shift,
        "score_shift_over_3_std": far,
        "levels": {"watch": rules.watch, "alert": rules.alert, "alpha": rules.alpha},
    }


def _because(worst: dict[str, Any], drifted: list[str], n: int) -> str:
    if n == 0:
        return "no current rows"
    if len(drifted) > 1:
        return f"{len(drifted)} features drifted, {drifted[0]} most"
    return f"{worst['feature']}: {worst['reason']}"
