"""One feature against its frozen profile: how its rows fall, what that is worth, what a reader can see."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from countersign.declare import DriftPolicy
from countersign.monitoring.baseline import Profile, moments
from countersign.monitoring.bins import (
    Singles,
    Values,
    as_singles,
    count_categories,
    count_equal_widths,
    count_numbers,
)
from countersign.statistics.distances import (
    chi_square_two_sample,
    jensen_shannon_distance,
    kl_divergence,
    ks_of_counts,
)
from countersign.statistics.psi import PsiResult, laplace_shares, psi_test
from countersign.statistics.psi_conventions import psi_of_floored_counts

MOST_SORTED = 5_000


def count(profile: Profile, values: Values) -> tuple[list[int], Singles | None]:
    """Rows per frozen bin, and the numbers themselves for the moments. Text where numbers were is unseen."""
    if profile["kind"] == "categorical":
        return count_categories(values, profile["categories"]), None
    try:
        numbers = as_singles(values)
    except (TypeError, ValueError):
        unseen = [0] * (len(profile["counts"]) - 1) + [len(values)]
        return unseen, as_singles([])
    return count_numbers(numbers, profile["edges"]), numbers


def judge(profile: Profile, counts: list[int], rules: DriftPolicy) -> PsiResult:
    """PSI of the counts against the profile's, by the levels and the error rate of the policy."""
    return psi_test(
        profile["counts"], counts, watch_at=rules.watch, alert_at=rules.alert, alpha=rules.alpha
    )


def row(
    name: str,
    profile: Profile,
    counts: list[int],
    numbers: Singles | None,
    test: PsiResult,
    q: float,
) -> dict[str, Any]:
    """One feature: PSI with n, m, B, critical value, p and q; other distances; null and unseen mass; moments."""
    n, m = sum(counts), sum(profile["counts"])
    return {
        "feature": name,
        "kind": profile["kind"],
        "verdict": test.verdict,
        "reason": test.reason,
        "psi": test.psi,
        "n": n,
        "m": m,
        "bins": test.bins,
        "critical": _finite(test.critical),
        "p": test.p,
        "q": q,
        "method": test.method,
        "needed": test.needed,
        "null_share_reference": profile["counts"][-2] / m if m else None,
        "null_share": counts[-2] / n if n else None,
        "unseen_share": counts[-1] / n if n else None,
        **_conventions(profile, counts, numbers),
        **_distances(profile, counts),
        **_moved(profile, numbers),
        "histogram": _histogram(profile, counts),
    }


def _conventions(profile: Profile, counts: list[int], numbers: Singles | None) -> dict[str, Any]:
    """As other tools bin: equal widths of the reference's range, outside values in the end bins."""
    if profile["kind"] == "categorical" or numbers is None:
        floored = _finite(psi_of_floored_counts(profile["counts"], counts))
        return {"psi_evidently": floored, "psi_equal_width": floored}
    found = {}
    for name, stored in (("psi_evidently", "sturges"), ("psi_equal_width", "equal_width")):
        reference = profile[stored]
        low, high = profile["min"] or 0.0, profile["max"] or 0.0
        current = count_equal_widths(numbers, low, high, len(reference))
        found[name] = _finite(psi_of_floored_counts(reference, current))
    return found


def _distances(profile: Profile, counts: list[int]) -> dict[str, Any]:
    names = ("ks_d", "ks_p", "chi_square_p", "js_distance", "kl_current_from_reference")
    if not sum(counts) or not sum(profile["counts"]):
        return dict.fromkeys(names)
    chi_square = chi_square_two_sample(profile["counts"], counts)
    q, p = laplace_shares(counts), laplace_shares(profile["counts"])
    ordered = profile["kind"] == "numeric" and sum(counts[:-2]) and sum(profile["counts"][:-2])
    ks = ks_of_counts(profile["counts"][:-2], counts[:-2]) if ordered else None
    values = (
        ks.d if ks else None,
        ks.p if ks else None,
        chi_square.p,
        jensen_shannon_distance(p, q),
        kl_divergence(q, p),
    )
    return dict(zip(names, values, strict=True))


def _moved(profile: Profile, numbers: Singles | None) -> dict[str, Any]:
    """Moments then and now, and Wasserstein's distance from the stored quantiles to an even sample of the values."""
    if numbers is None:
        return {}
    now = moments(numbers)
    found: dict[str, Any] = {f"{name}_reference": profile[name] for name in now} | dict(now)
    deviation, then = profile["std"], profile["mean"]
    if now["mean"] is None or then is None:
        return found | {"mean_shift_std": None, "wasserstein": None, "wasserstein_scaled": None}
    finite = numbers[np.isfinite(numbers)]
    sample = finite[:: max(1, -(-finite.size // MOST_SORTED))]
    grid = np.linspace(0, 1, len(profile["quantiles"]))
    gaps = np.abs(np.quantile(sample.astype(np.float64), grid) - np.asarray(profile["quantiles"]))
    raw = float(np.trapezoid(gaps, grid))
    return found | {
        "mean_shift_std": (now["mean"] - then) / deviation if deviation else None,
        "wasserstein": raw,
        "wasserstein_scaled": raw / deviation if deviation else None,
    }


def _histogram(profile: Profile, counts: list[int]) -> dict[str, Any]:
    """Shares per bin with labels a person can read, bins empty on both sides left out."""
    labels = (
        profile["categories"] if "categories" in profile else _interval_labels(profile["edges"])
    )
    labels = [*labels, "null", "unseen"]
    n, m = sum(counts), sum(profile["counts"])
    kept = [i for i in range(len(counts)) if counts[i] or profile["counts"][i]]
    return {
        "labels": [labels[i] for i in kept],
        "reference": [profile["counts"][i] / m if m else 0.0 for i in kept],
        "current": [counts[i] / n if n else 0.0 for i in kept],
    }


def _interval_labels(edges: list[float]) -> list[str]:
    """A bin by its upper edge; a constant by itself."""
    shown = [f"{edge:,.0f}" if abs(edge) >= 1_000 else f"{edge:.3g}" for edge in edges]
    if len(edges) == 2 and np.nextafter(np.float32(edges[1]), np.float32(-np.inf)) == edges[0]:
        return [f"< {shown[1]}", shown[1], f"> {shown[1]}"]
    return [*(f"≤ {edge}" for edge in shown), f"> {shown[-1]}"]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
