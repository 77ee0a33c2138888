"""Are groups treated alike? Four-fifths on selection, then whether a gap is more than chance.

Selection rates may differ because errors do. So a group that is selected less than four fifths as often
fails the audit only when, among rows of the same truth, the gap is beyond chance: correct rows sent to
review (false positives), or errors missed (false negatives). A gap that the rows cannot tell from chance
is INSUFFICIENT, never PASS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from countersign.declare import FairnessGroup
from countersign.errors import ContractError, FieldError
from countersign.learning.dataset import Rows
from countersign.statistics.proportions import fisher_exact, group_rates

ALPHA = 0.05
# rate → (its rows among a group's, the word for them); a rate is k of n rows of one truth
_TRUTHS = {"fpr": "correct rows selected", "fnr": "errors missed"}


def audit(declared: Sequence[FairnessGroup], rows: Rows, decisions: Any) -> dict[str, Any]:
    """The `fairness` part of evaluation.json, for decisions (bool, shape (n_rows,)).

    Raises ContractError when a declared column is absent.
    """
    absent = [group.column for group in declared if group.column not in rows.texts]
    if absent:
        raise ContractError(
            f"The dataset lacks {', '.join(absent)}, by which fairness is judged",
            errors=[FieldError(name, "a column of the dataset") for name in absent],
        )
    groups, reasons = {}, []
    for group in declared:
        found = group_rates(
            rows.texts[group.column],
            rows.label,
            decisions,
            smallest=group.minimum_rows,
            ratio_at_least=group.minimum_ratio,
        )
        found["verdict"], reason = judge(group, found)
        groups[group.column] = found
        reasons += [reason] if reason else []
    return {"verdict": _worst(groups), "reasons": reasons, "groups": groups}


def judge(group: FairnessGroup, found: Mapping[str, Any]) -> tuple[str, str]:
    """(verdict, reason) of one column; no reason when it passes."""
    ratio = found["selection_rate_ratio"]
    judged = [row for row in found["rows"] if row["judged"]]
    if len(judged) < 2 or ratio is None:
        return "INSUFFICIENT", (
            f"{group.column}: fewer than two groups have {group.minimum_rows} rows to be judged by"
        )
    if ratio >= group.minimum_ratio:
        return "PASS", ""
    selected = f"{group.column}: selection-rate ratio {ratio:.2f} is below {group.minimum_ratio:g}"
    for rate, meaning in _TRUTHS.items():
        worst, p = _widest(judged, rate)
        if worst is not None and p < ALPHA and _ratio(worst, rate) < group.minimum_ratio:
            low, high = sorted(worst, key=lambda row: row[rate]["value"])
            return "FAIL", (
                f"{selected}; {meaning}: {high[rate]['value']:.1%} of {high['value']} against "
                f"{low[rate]['value']:.1%} of {low['value']} (p = {p:.2g})"
            )
    return "INSUFFICIENT", f"{selected}, but among rows of the same truth no gap is beyond chance"


def _widest(judged: Sequence[Mapping[str, Any]], rate: str) -> tuple[Any, float]:
    """The pair of groups least alike in a rate, and Bonferroni's p of it; (None, 1) without a pair."""
    pairs = [
        (fisher_exact(*_counts(a, rate), *_counts(b, rate)), (a, b))
        for a, b in combinations([row for row in judged if _counts(row, rate)[1]], 2)
    ]
    if not pairs:
        return None, 1.0
    p, worst = min(pairs, key=lambda pair: pair[0])
    return worst, min(1.0, p * len(pairs))


def _counts(row: Mapping[str, Any], rate: str) -> tuple[int, int]:
    """(how many, of how many) a group's rate is."""
    n = row["positives"] if rate == "fnr" else row["n"] - row["positives"]
    return (round(row[rate]["value"] * n), n) if n else (0, 0)


def _ratio(pair: Any, rate: str) -> float:
    low, high = sorted(row[rate]["value"] for row in pair)
    return float(low / high) if high else 1.0


def _worst(groups: Mapping[str, Mapping[str, Any]]) -> str:
    verdicts = {found["verdict"] for found in groups.values()}
    return next((v for v in ("FAIL", "INSUFFICIENT") if v in verdicts), "PASS")
