"""Judge a sealed candidate on the test rows: metrics with intervals, gates, fairness, comparison with rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.errors import ArtifactError, NotFoundError
from countersign.learning.card import model_card
from countersign.learning.dataset import Dataset, Rows
from countersign.learning.evaluation import judge
from countersign.learning.succession import compare_on
from countersign.serving.session import FILES, ModelSession

DOCUMENT = "evaluation.json"
SUCCESSION = "succession.json"


@dataclass(frozen=True, slots=True)
class Request:
    """Which run to judge on which dataset."""

    use_case: str
    run_id: str
    dataset_id: str


@dataclass(frozen=True, slots=True)
class Result:
    """`failed` names the gates that did not hold, and `fairness` when a group fails."""

    run_id: str
    passed: bool
    failed: list[str]
    metrics: dict[str, float | None]


def run(request: Request, stores: Stores) -> Result:
    """Load what was signed, score the test rows as they would be served, write the verdict."""
    use_case = use_cases.get(request.use_case)
    folder = f"{request.use_case}/runs/{request.run_id}"
    artifact = stores.artifacts.load(folder, FILES)
    refuse_other(request, artifact.manifest)
    if stores.artifacts.exists(f"{folder}/{DOCUMENT}"):
        known = stores.artifacts.read_json(f"{folder}/{DOCUMENT}")
        if known["artifact_digest"] == artifact.digest:  # judged before: the verdict stands
            return conclude(known, stores)
    dataset = Dataset.of(stores.lake.get, request.dataset_id, use_case)
    model, test = ModelSession.load(artifact), dataset.split("test")
    verdict = judge(
        use_case,
        model,
        artifact.manifest,
        valid=dataset.split("valid"),
        test=test,
        created_at=iso(stores.clock.now()),
    )
    card = model_card(use_case, artifact.manifest, verdict.document)
    stores.artifacts.write_json(f"{folder}/metrics.json", verdict.metrics)
    stores.artifacts.write_json(
        f"{folder}/ml_vs_rules_comparison.json", verdict.document["rules_comparison"]
    )
    stores.artifacts.put(f"{folder}/card.md", card.encode(), content_type="text/markdown")
    stores.artifacts.write_json(
        f"{folder}/{SUCCESSION}", against_champion(stores, request, model, test)
    )
    # Last: once it stands, a repeat finds the whole verdict.
    stores.artifacts.write_json(f"{folder}/{DOCUMENT}", verdict.document)
    return conclude(verdict.document, stores)


def against_champion(
    stores: Stores, request: Request, model: ModelSession, test: Rows
) -> dict[str, Any]:
    """What the candidate is worth more than the champion on the same test rows; nothing without a champion."""
    champion = stores.registry.pointer(request.use_case)["champion"]
    if champion is None:
        return {"champion_version": None, "delta": None, "reason": "there is no champion yet"}
    told = {"champion_version": champion["version"], "dataset_id": request.dataset_id}
    try:
        run_id = stores.registry.version(request.use_case, champion["version"]).run_id
        artifact = stores.artifacts.load(
            f"{request.use_case}/runs/{run_id}", FILES, digest=champion["digest"]
        )
        return {**told, **compare_on(test, model, ModelSession.load(artifact))}
    except (ArtifactError, NotFoundError) as error:
        return {**told, "delta": None, "reason": f"the champion cannot be loaded: {error.detail}"}


def refuse_other(request: Request, manifest: dict[str, Any]) -> None:
    """A signed manifest of another run, put in this folder, is not this candidate."""
    for name in ("use_case", "run_id", "dataset_id"):
        if manifest[name] != getattr(request, name):
            raise ArtifactError(f"The manifest of run {request.run_id} is of another {name}")


def conclude(document: dict[str, Any], stores: Stores) -> Result:
    """Put the verdict on the audit chain, once per artifact, and report it."""
    failed = [gate["metric"] for gate in document["gates"] if not gate["passed"]]
    failed += ["fairness"] if document["fairness"]["verdict"] == "FAIL" else []
    metrics = {name: found["value"] for name, found in document["metrics"].items()}
    facts = {
        "run_id": document["run_id"],
        "artifact_digest": document["artifact_digest"],
        "passed": document["passed"],
        "failed": failed,
        "fairness": document["fairness"]["verdict"],
    }
    stores.audit.append(
        document["use_case"], "gates-judged", "evaluate", facts,
        once=f"gates-judged#{document['artifact_digest']}",
    )  # fmt: skip
    return Result(document["run_id"], document["passed"], failed, metrics)
