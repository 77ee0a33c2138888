"""A model card in Markdown, from the signed manifest, the evaluation and the declaration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from countersign.declare import UseCase


def model_card(
    use_case: UseCase, manifest: Mapping[str, Any], evaluation: Mapping[str, Any]
) -> str:
    """The card, after the sections of Mitchell et al., Model Cards for Model Reporting (2019)."""
    sections = {
        f"{use_case.title}: model card": _model(use_case, manifest, evaluation),
        "Intended use": _use(use_case),
        "Training data": _data(manifest),
        "Evaluation": _evaluation(evaluation),
        "Gates": [_gate(gate) for gate in evaluation["gates"]],
        "Fairness": _fairness(evaluation["fairness"]),
        "What it leans on": [
            f"- {item['feature']}: {item['value']:.4f}" for item in evaluation["importance"][:10]
        ],
        "Reproduction": _reproduction(manifest),
    }
    titles = iter(sections.items())
    first, body = next(titles)
    parts = [f"# {first}", "", *body]
    for title, lines in titles:
        parts += ["", f"## {title}", "", *lines]
    return "\n".join(parts) + "\n"


def _model(
    use_case: UseCase, manifest: Mapping[str, Any], evaluation: Mapping[str, Any]
) -> list[str]:
    return [
        use_case.description,
        "",
        f"- Owner: {use_case.owner}",
        f"- Kind: {manifest['model_type']}, {len(manifest['features'])} inputs, seed {manifest['seed']}",
        f"- Run: {manifest['run_id']}, trained {manifest['created_at']}",
        f"- Artifact: {evaluation['artifact_digest']}",
        f"- Verdict: {'every gate held' if evaluation['passed'] else 'rejected'}",
    ]


def _use(use_case: UseCase) -> list[str]:
    hybrid, costs = use_case.hybrid, use_case.costs
    score = f"{hybrid.model_weight:g} × model + {hybrid.rules_weight:g} × rules"
    miss, alarm = costs.false_negative_minor, costs.false_positive_minor
    return [
        f"- Autonomy: {use_case.autonomy}; approval class {use_case.approval_class}",
        f"- Served at `{use_case.api_path}`; the score is {score}",
        f"- A miss costs {miss} and a false alarm {alarm} minor units of {costs.currency}",
        "- Not for: decisions about a person other than whether somebody looks at this row.",
    ]


def _data(manifest: Mapping[str, Any]) -> list[str]:
    lines = [
        f"- Dataset {manifest['dataset_id']} ({manifest['dataset_digest']}), known as of "
        f"{manifest['as_of']}" + (", SYNTHETIC" if manifest["synthetic"] else "")
    ]
    for name in ("train", "valid", "test"):
        part = manifest["split"][name]
        lines.append(
            f"- {name}: {part['rows']} rows, {part['positives']} positives, "
            f"{part['from']} to {part['to']}"
        )
    return lines


def _evaluation(evaluation: Mapping[str, Any]) -> list[str]:
    lines = ["| metric | value | 95 % interval |", "|---|---|---|"]
    for name, found in sorted(evaluation["metrics"].items()):
        low, high = _number(found["low"]), _number(found["high"])
        interval = f"{low} to {high}" if found["low"] is not None else ""
        lines.append(f"| {name} | {_number(found['value'])} | {interval} |")
    compared = evaluation["rules_comparison"]
    binary = "recall" in compared["model"]
    what = "recall" if binary else "accuracy"
    each = ", ".join(f"{n} {_number(compared[n][what])}" for n in ("rules", "model", "hybrid"))
    told = "Recall at each one's cost-optimal threshold" if binary else "Accuracy on the test rows"
    return [*lines, "", f"{told}: {each}."]


def _gate(gate: Mapping[str, Any]) -> str:
    bounds = [f"at least {gate['at_least']:g}"] if gate["at_least"] is not None else []
    bounds += [f"at most {gate['at_most']:g}"] if gate["at_most"] is not None else []
    verdict = "held" if gate["passed"] else "FAILED"
    return f"- {gate['metric']} {' and '.join(bounds)}: {_number(gate['value'])}, {verdict}"


def _fairness(fairness: Mapping[str, Any]) -> list[str]:
    lines = [f"Verdict: {fairness['verdict']}"]
    for column, found in fairness["groups"].items():
        lines.append(
            f"- {column}: {found['verdict']}, selection-rate ratio "
            f"{_number(found['selection_rate_ratio'])}, FPR gap {_number(found['fpr_gap'])}"
        )
    return lines + [f"- {reason}" for reason in fairness["reasons"]]


def _reproduction(manifest: Mapping[str, Any]) -> list[str]:
    chosen = ", ".join(f"{k} = {v}" for k, v in sorted(manifest["hyperparameters"].items()))
    lines = [f"- Hyperparameters: {chosen}", f"- Feature code: {manifest['feature_code_digest']}"]
    for stage, made in manifest["environment"].items():
        lines.append(f"- {stage}: " + ", ".join(f"{k} {v}" for k, v in sorted(made.items())))
    return lines


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"
