"""The evaluation report: one HTML page from `evaluation.json`, for models of one score and of classes.

The shape of `evaluation.json`, version 1. The learning room writes it, this module reads it. Every number
is finite or null; a key marked `?` may be absent and its section then says so. Nothing else is needed.

```
{"schema": 1, "use_case": str, "run_id": str, "created_at": ISO-8601 UTC, "artifact_digest"?: str,
 "model": {"kind": str, "hyperparameters"?: {name: value}, "seed"?: int, "found"?: {name: value}},
 "passed": bool,                       all gates hold and the fairness verdict is not FAIL
 "dataset": {"dataset_id": str, "dataset_digest": str, "as_of": ISO, "rows": int, "positives": int,
             "features": int, "synthetic": bool, …any further fact: str, number, bool},
 "split": {"kind": "time"|"stratified",
           "train"|"valid"|"test": {"rows": int, "positives": int, "from": ISO|null, "to": ISO|null}},
 "metrics": {name: FIGURE},            FIGURE = {"value"|"low"|"high": x|null, "method"?: str}, 95 % intervals
 "gates": [{"metric": str, "at_least"|"at_most"|"value"|"low"?|"high"?: x|null, "passed": bool, "method"?: str,
            "certainty"?: "beyond chance"|"within chance"|"no interval"|"unknown"}],
 "class_report"?: [{"class": str, "precision"|"recall"|"f1": x|null, "support": int,
                    "intervals"?: {name: [low, high]}}],
 "class_averages"?: {"accuracy": x|null, "macro"|"weighted": {"precision"|"recall"|"f1": x|null}},
 "importance": [{"feature": str, "value": x}], "importance_kind"?: str,      any order, and what it measures
 "fairness": {"verdict": "PASS"|"FAIL"|"INSUFFICIENT", "reasons": [str], "about"?: "selected"|"decided right",
              "cluster"?: str, "comparisons"?: int, "adjustment"?: str,
              "groups": {column: {"rows": [{"value": str, "n": int, "positives": int, "judged": bool,
                                            "clusters"?: int, "selection_rate"|"tpr"|"fpr"|"fnr"|"outcome_rate"?: FIGURE,
                                            "mean_score"?: x|null}],
                                  "minimum_rows"?: int, "minimum_ratio"?: x, "too_small"?: [{"value", "n"}],
                                  "selection"?: {"lowest"|"highest": str, "ratio"|"low"|"high": x|null}|null,
                                  "fpr"?|"fnr"?: {"lowest"|"highest": str, "lowest_rate"|"highest_rate": x,
                                                  "lowest_rows"|"highest_rows": int,
                                                  "gap"|"low"|"high"|"p"|"p_adjusted": x|null}|null,
                                  "selection_rate_ratio"|"fpr_gap"|"fnr_gap": x|null, "verdict": as above}}},
 "rules_comparison": {"rules"|"model"|"hybrid": {metric: x|null, "threshold"?: x, "intervals"?: {metric: [x, x]}},
                      "discordant"?: {"model_only": int, "rules_only": int}, "p"?: x,
                      "hybrid_discordant"?: {"hybrid_only": int, "rules_only": int}, "hybrid_p"?: x,
                      "saved_per_1000"?: {"model"|"hybrid": FIGURE}, "unaided"?: {"review_none"|"review_all": x}},

 of one score:
 "threshold": {"value": x, "model_only"?|"rules_only"?: x, "chosen_on"?: str, "currency"?: str,
               "cost_false_negative"?|"cost_false_positive"?|"cost_true_positive"?: x,
               "cost_curve": [{"threshold": x, "cost": x}],                 ascending; minor units of currency
               "sensitivity"?: [{"if": str, "threshold": x, "selection_rate"|"recall"|"precision": x|null}]},
 "roc": [[false positive rate, true positive rate]], "pr": [[recall, precision]],
 "calibration": [{"low": x, "high": x, "n": int, "mean_score": x, "rate": x, "rate_low": x, "rate_high": x}],
 "confusion": {"tp": int, "fp": int, "fn": int, "tn": int},
 "score_histogram": {"edges": [x], "negatives": [int], "positives": [int]},  len(edges) = len(counts) + 1

 of classes:
 "classes": [str], "confusion_matrix": [[int]],                              row the truth, column the likeliest
 "by_class": {class: {"roc": as above, "pr"?: as above, "calibration": as above, "auc"?: FIGURE}},
 "confidence"?: a score_histogram of the likeliest class's probability, positives where it is right,
 "recommended_by_group"?: {column: [{"value": str, "n": int, "shares": {class: x}}]}}
```
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from countersign.reports import page
from countersign.reports.sections.contest import contest, threshold
from countersign.reports.sections.curves import curves, importance
from countersign.reports.sections.fairness import fairness
from countersign.reports.sections.lineage import lineage
from countersign.reports.sections.search import search as search_of
from countersign.reports.sections.verdict import banner, gates, metrics, subtitle


def render(document: Mapping[str, Any], *, search: Mapping[str, Any] | None = None) -> str:
    """The HTML of an evaluation, and of the search before it where there was one.

    Sections whose part is absent say so; a wrong shape raises KeyError.
    """
    return page.page(
        f"Evaluation of {document['use_case']}, run {document['run_id']}",
        subtitle=subtitle(document),
        body=[
            banner(document),
            gates(document),
            metrics(document),
            curves(document),
            threshold(document),
            importance(document),
            fairness(document),
            contest(document),
            *search_of(search),
            lineage(document),
        ],
        footer="Countersign. Intervals are 95 %. Measured on the test rows, which neither training nor the "
        "choice of the threshold has seen.",
    )
