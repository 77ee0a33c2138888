"""Are groups treated alike? Four-fifths on selection, then what a gap means and whether it is chance.

Selection rates may differ because errors do. So a group that is selected less than four fifths as often
fails the audit only when, among rows of the same truth, a gap is wide (over ten points), lopsided (below the
declared ratio) and beyond chance: correct rows sent to review (false positives), or errors missed (false
negatives). Anything less clear is INSUFFICIENT, never PASS. Chance is judged by worker, not by row: a
worker's payslips share their habits, so rows are no independent witnesses. Every column and both gaps are
tests, so their p are adjusted together (Benjamini–Hochberg) before one of them may fail a candidate.

Source for ten points: R. Bellamy et al., AI Fairness 360 (2018), which calls a difference in true or false
positive rates fair between −0.1 and 0.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from countersign.declare import FairnessGroup
from countersign.errors import ContractError, FieldError
from countersign.learning.dataset import Rows
from countersign.learning.group_figures import GAPS, Bools, measure_groups
from countersign.learning.native import Floats
from countersign.statistics.multiple import benjamini_hochberg

ALPHA = 0.01
WIDE = 0.10
PERMUTATIONS = 2_000
_TRUTHS = {
    "selected": {"fpr": "correct rows selected", "fnr": "errors missed"},
    "decided right": {"fpr": "", "fnr": "rows decided wrong"},
}
_MEASURED = {
    "selected": "selection-rate ratio",
    "decided right": "ratio of the shares decided right",
}
About = Literal["selected", "decided right"]


def audit(
    declared: Sequence[FairnessGroup],
    rows: Rows,
    decisions: Bools,
    *,
    cluster: str,
    seed: int = 0,
    truth: Bools | None = None,
    scores: Floats | None = None,
) -> dict[str, Any]:
    """The `fairness` part of evaluation.json.

    Parameters
    ----------
    declared : sequence of FairnessGroup
        Whom to compare.
    rows, decisions
        The test rows, and whether each was selected (bool, shape (n_rows,)).
    cluster : str
        The text column whose rows belong together, such as the worker's id.
    seed : int
        Of the permutations.
    truth : bool, shape (n_rows,), optional
        What should have been selected; the label by default. A model of classes is judged by whether it
        decides right: `decisions` are its hits and every row should have been one.
    scores : float, shape (n_rows,), optional
        What was decided on, to be set beside each group's outcomes.

    Raises
    ------
    ContractError   a declared column is absent
    """
    _refuse_absent(rows, [*(group.column for group in declared), cluster])
    wanted = rows.label if truth is None else truth
    about: About = "selected" if truth is None else "decided right"
    _, who = np.unique(rows.texts[cluster].astype(str), return_inverse=True)
    groups = {
        group.column: measure_groups(
            group, rows.texts[group.column], (wanted, decisions), who, scores
        )
        for group in declared
    }
    chances = {
        (group.column, rate): _chance(
            rate, group, rows.texts[group.column], (wanted, decisions), who, seed
        )
        for group in declared
        for rate in GAPS
    }
    comparisons = _adjust(groups, chances)
    reasons = []
    for group in declared:
        found = groups[group.column]
        found["verdict"], found["reason"] = judge(group, found, about=about)
        reasons += [found["reason"]] if found["reason"] else []
    return {
        "verdict": _worst(groups),
        "reasons": reasons,
        "about": about,
        "cluster": cluster,
        "alpha": ALPHA,
        "wide": WIDE,
        "comparisons": comparisons,
        "adjustment": "Benjamini-Hochberg",
        "groups": groups,
    }


def _refuse_absent(rows: Rows, needed: Sequence[str]) -> None:
    absent = [name for name in needed if name not in rows.texts]
    if absent:
        raise ContractError(
            f"The dataset lacks {', '.join(absent)}, by which fairness is judged",
            errors=[FieldError(name, "a column of the dataset") for name in absent],
        )


def _adjust(groups: Mapping[str, dict[str, Any]], chances: Mapping[tuple[str, str], float]) -> int:
    """Put `p` and `p_adjusted` beside every gap; how many gaps there were to test."""
    tested = [(column, rate) for column, rate in chances if groups[column][rate] is not None]
    adjusted = benjamini_hochberg([chances[each] for each in tested]).tolist()
    for (column, rate), p in zip(tested, adjusted, strict=True):
        groups[column][rate] |= {"p": chances[column, rate], "p_adjusted": p}
    return len(tested)


def judge(
    group: FairnessGroup, found: Mapping[str, Any], *, about: About = "selected"
) -> tuple[str, str]:
    """(verdict, reason) of one column; no reason when it passes."""
    ratio = found["selection_rate_ratio"]
    if found["selection"] is None or ratio is None:
        return "INSUFFICIENT", (
            f"{group.column}: fewer than two groups have {group.minimum_rows} rows to be judged by"
        )
    if ratio >= group.minimum_ratio:
        return "PASS", ""
    below = f"{group.column}: {_MEASURED[about]} {ratio:.2f} is below {group.minimum_ratio:g}"
    for rate, meaning in _TRUTHS[about].items():
        gap = found[rate]
        if gap is None:
            continue
        low, high = gap["lowest_rate"], gap["highest_rate"]
        if high - low > WIDE and low < group.minimum_ratio * high and gap["p_adjusted"] < ALPHA:
            return "FAIL", (
                f"{below}; {meaning}: {high:.1%} of {gap['highest']} against {low:.1%} of "
                f"{gap['lowest']} (p = {gap['p_adjusted']:.2g})"
            )
    return "INSUFFICIENT", (
        f"{below}, but among rows of the same truth no gap is both wide and beyond chance"
    )


def _chance(
    rate: str,
    group: FairnessGroup,
    values: NDArray[Any],
    judged: tuple[Bools, Bools],
    clusters: NDArray[np.int64],
    seed: int,
) -> float:
    """How often groups of the same numbers of workers differ as much when workers are dealt at random.

    The statistic is Pearson's over the groups large enough to be judged; p is at least 1 / 2 001.
    """
    wanted, decisions = judged
    names, at, sizes = np.unique(values.astype(str), return_inverse=True, return_counts=True)
    kept = (sizes >= group.minimum_rows)[at] & (wanted if rate == "fnr" else ~wanted)
    hits = (decisions if rate == "fpr" else ~decisions)[kept].astype(np.float64)
    if kept.sum() < 2 or hits.min() == hits.max():
        return 1.0
    _, who = np.unique(clusters[kept], return_inverse=True)
    n_workers = int(who.max()) + 1
    per_worker = np.bincount(who, hits, n_workers), np.bincount(who, minlength=n_workers)
    # A worker who moved between groups counts where most of their rows are.
    table = np.zeros((n_workers, len(names)))
    np.add.at(table, (who, at[kept]), 1.0)
    home = table.argmax(axis=1)
    random = np.random.default_rng(seed)
    seen = _spread(home, *per_worker, len(names))
    dealt = [
        _spread(random.permutation(home), *per_worker, len(names)) for _ in range(PERMUTATIONS)
    ]
    return float((1 + sum(one >= seen - 1e-12 for one in dealt)) / (PERMUTATIONS + 1))


def _spread(home: Any, hits: Any, rows: Any, n_groups: int) -> float:
    """Pearson's statistic of the groups' rates against the common one."""
    k, n = np.bincount(home, hits, n_groups), np.bincount(home, rows, n_groups)
    common = k.sum() / n.sum()
    some = n > 0
    return float((((k[some] - common * n[some]) ** 2) / n[some]).sum() / (common * (1 - common)))


def _worst(groups: Mapping[str, Mapping[str, Any]]) -> str:
    verdicts = {found["verdict"] for found in groups.values()}
    return next((v for v in ("FAIL", "INSUFFICIENT") if v in verdicts), "PASS")
