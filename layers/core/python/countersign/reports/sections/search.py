"""How the hyperparameters were found, where somebody searched: `search.json` of the run.

{"method", "seed", "scoring", "larger_is_better", "split", "folds": […], "space": {name: …},
 "tries": [{"n", "hyperparameters": {…}, "mean", "std", "seconds"}]}; a try that could not be fitted has a null mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from countersign.reports import page, plots

MOST_ROWS = 10


def search(found: Mapping[str, Any] | None) -> list[Markup]:
    """The section, or nothing where nobody searched."""
    if not found or not found.get("tries"):
        return []
    better = bool(found.get("larger_is_better", True))
    known = [each for each in found["tries"] if each.get("mean") is not None]
    ranked = sorted(known, key=lambda each: -each["mean"] if better else each["mean"])[:MOST_ROWS]
    names = list(found.get("space") or {})
    rows = [
        (
            each["n"],
            *(each["hyperparameters"].get(name) for name in names),
            each["mean"],
            each.get("std"),
        )
        for each in ranked
    ]
    scoring = str(found.get("scoring", "score"))
    parts = []
    if known:
        svg = plots.search_history(known, scoring, larger_is_better=better)
        parts.append(page.figure(svg, f"{scoring} of each try, and the best so far"))
    parts.append(page.table(["Try", *(f"{n}#" for n in names), f"{scoring}#", "Std#"], rows))
    failed = len(found["tries"]) - len(known)
    note = f"{found.get('method', 'search')}, seed {found.get('seed', 'unknown')}, {len(found['tries'])} tries"
    note += f", of which {failed} could not be fitted" if failed else ""
    note += ". Neither the validation nor the test rows were seen."
    return [page.section("Search of hyperparameters", *parts, note=note)]
