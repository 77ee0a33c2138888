"""The evaluation report: one HTML page from `evaluation.json`.

The shape of `evaluation.json`, version 1. The learning room writes it, this module reads it. Every number
is finite or null; a key marked `?` may be absent and its section then says so. Nothing else is needed.

```
{"schema": 1, "use_case": str, "run_id": str, "created_at": ISO-8601 UTC,
 "model": {"kind": str, "hyperparameters"?: {name: value}, "seed"?: int},
 "passed": bool,                       all gates hold and the fairness verdict is not FAIL
 "dataset": {"dataset_id": str, "dataset_digest": str, "as_of": ISO, "rows": int, "positives": int,
             "features": int, "synthetic": bool, …any further fact: str, number, bool},
 "split": {"kind": "time"|"stratified",
           "train"|"valid"|"test": {"rows": int, "positives": int, "from": ISO|null, "to": ISO|null}},
 "metrics": {name: {"value": x|null, "low": x|null, "high": x|null}},     95 % intervals; names below
 "gates": [{"metric": str, "at_least": x|null, "at_most": x|null, "value": x|null, "passed": bool}],
 "threshold": {"value": x, "cost_false_negative"?: x, "cost_false_positive"?: x, "currency"?: str,
               "cost_curve": [{"threshold": x, "cost": x}]},                ascending thresholds
 "roc": [[false positive rate, true positive rate]],                      from [0,0] to [1,1]
 "pr": [[recall, precision]],
 "calibration": [{"low": x, "high": x, "n": int, "mean_score": x, "rate": x, "rate_low": x, "rate_high": x}],
 "confusion": {"tp": int, "fp": int, "fn": int, "tn": int},              on the test rows, at the threshold
 "score_histogram": {"edges": [x], "negatives": [int], "positives": [int]},   len(edges) = len(counts) + 1
 "importance": [{"feature": str, "value": x}],                             any order; what it measures ↓
 "importance_kind"?: str,                                                  e.g. "permutation, drop in AUC"
 "fairness": {"verdict": "PASS"|"FAIL"|"INSUFFICIENT", "reasons": [str],
              "groups": {"country": {"rows": [{"value": str, "n": int, "positives": int, "judged": bool,
                                               "selection_rate"|"tpr"|"fpr"|"fnr": {"value","low","high"}}],
                                     "selection_rate_ratio": x|null, "fpr_gap": x|null, "fnr_gap": x|null,
                                     "verdict": "PASS"|"FAIL"|"INSUFFICIENT"}}},
 "rules_comparison": {"rules"|"model"|"hybrid": {metric: x|null},
                      "discordant"?: {"model_only": int, "rules_only": int}, "p"?: x}}
```

Metric names: `auc`, `average_precision`, `precision`, `recall`, `f1`, `false_positive_rate`, `brier`, `cost`.
`statistics.classification` and `statistics.proportions.group_rates` return most of these parts as they are:
`roc_points`, `pr_points`, `calibration_bins`, `confusion`, `score_histogram`, `cost_curve`, `group_rates`.
"""
