"""A run that passed its gates becomes a version in Staging."""

from __future__ import annotations

import hashlib
from typing import Any

from countersign import use_cases
from countersign.aws.artifacts import Verified
from countersign.aws.stores import Stores
from countersign.declare import UseCase
from countersign.errors import ArtifactError, DigestMismatchError, GateError, SyntheticDataError
from countersign.governance.versions import Version, VersionRecord, canonical
from countersign.steps.register.authorise import trigger_of

SIGNED = ("model.onnx", "serving.json", "golden.npz", "baseline.json")
MANIFEST = ("manifest.json", "manifest.sig")


def run(stores: Stores, use_case: str, run_id: str, dataset_id: str) -> dict[str, Any]:
    """Verify what was signed, number it, copy it to its place, and only then let it be seen."""
    declared = use_cases.get(use_case)
    folder = f"{use_case}/runs/{run_id}"
    artifact = stores.artifacts.load(folder, SIGNED)
    evaluation = stores.artifacts.read_json(f"{folder}/evaluation.json")
    refuse_unfit(stores, artifact, evaluation, run_id, dataset_id)
    trigger = stores.registry.trigger(use_case, trigger_of(run_id))
    reserved = stores.registry.put_version(record_of(declared, artifact, evaluation, trigger))
    copy_files(stores, folder, reserved)
    version = stores.registry.stage_version(use_case, reserved.version)
    conclude(stores, version, trigger_of(run_id))
    return {"version": version.version, "digest": version.digest, "stage": version.stage}


def refuse_unfit(
    stores: Stores, artifact: Verified, evaluation: dict[str, Any], run_id: str, dataset_id: str
) -> None:
    """Raise unless the evaluation passed, and is of this artifact, run and dataset."""
    manifest = artifact.manifest
    if (manifest["run_id"], manifest["dataset_id"]) != (run_id, dataset_id):
        raise ArtifactError(f"The manifest of {run_id} is of another run or dataset")
    if evaluation["artifact_digest"] != artifact.digest:
        raise DigestMismatchError(f"The evaluation of {run_id} judged another artifact")
    if not evaluation["passed"]:
        raise GateError(f"Run {run_id} did not pass its gates; it is not registered")
    if manifest["synthetic"] and stores.settings.environment != "local":
        raise SyntheticDataError(f"Run {run_id} learned from synthetic data; it stays in local")


def record_of(
    use_case: UseCase, artifact: Verified, evaluation: dict[str, Any], trigger: dict[str, Any]
) -> VersionRecord:
    """The birth certificate; its number is earned in the registry."""
    manifest = artifact.manifest
    run_folder = f"{use_case.name}/runs/{manifest['run_id']}"
    return VersionRecord(
        use_case=use_case.name,
        version="",
        digest=artifact.digest,
        run_id=manifest["run_id"],
        model_type=manifest["model_type"],
        owner=use_case.owner,
        training_date=manifest["created_at"],
        dataset_id=manifest["dataset_id"],
        dataset_digest=manifest["dataset_digest"],
        feature_list=tuple(manifest["features"]),
        feature_code_digest=manifest["feature_code_digest"],
        input_schema_digest=input_schema_digest(use_case),
        output_schema_digest=output_schema_digest(use_case),
        hyperparameters=dict(manifest["hyperparameters"]),
        environment=dict(manifest["environment"]),
        metrics={name: found["value"] for name, found in evaluation["metrics"].items()},
        gates_passed=bool(evaluation["passed"]),
        gates=tuple(evaluation["gates"]),
        fairness_audit=evaluation["fairness"]["verdict"],
        cost_optimal_threshold=float(evaluation["threshold"]["value"]),
        evaluation_digest=hashlib.sha256(canonical(evaluation).encode()).hexdigest(),
        eval_report_key=f"{run_folder}/report.html",
        authors=({"person": trigger["proposed_by"], "role": trigger["proposer_role"]},),
        synthetic=bool(manifest["synthetic"]),
        trigger_id=trigger["trigger_id"],
        validation_window=dict(manifest["split"].get("test") or {}),
    )


def input_schema_digest(use_case: UseCase) -> str:
    """SHA-256 of what a caller must send: a change is a MAJOR one."""
    fields = [[f.path, f.type, f.required, f.minimum, f.maximum] for f in use_case.request_fields]
    return hashlib.sha256(canonical([use_case.api_path, sorted(fields)]).encode()).hexdigest()


def output_schema_digest(use_case: UseCase) -> str:
    """SHA-256 of what a caller gets back: a change is a MAJOR one."""
    answer = ["prediction_id", "score", "decision", "threshold", "reason_codes", "model"]
    return hashlib.sha256(canonical([use_case.autonomy, answer]).encode()).hexdigest()


def copy_files(stores: Stores, folder: str, version: Version) -> None:
    """Every file of the run to the version's folder, the manifest last, and verified there."""
    use_case = version.record.use_case
    target = f"{use_case}/{version.version}"
    names = [key.removeprefix(f"{folder}/") for key in stores.artifacts.keys(f"{folder}/")]
    for name in sorted(names, key=lambda n: (n in MANIFEST, n)):
        stores.artifacts.copy(f"{folder}/{name}", f"{target}/{name}")
    copied = stores.artifacts.load(target, SIGNED, digest=version.digest)
    baseline = copied.files["baseline.json"]
    stores.lake.put(
        f"baselines/{use_case}/{version.version}.json", baseline, content_type="application/json"
    )


def conclude(stores: Stores, version: Version, trigger_id: str) -> None:
    """The trigger is done, and the chain knows of the version."""
    record = version.record
    champion = stores.registry.pointer(record.use_case)["champion"]
    delta = None
    if champion:
        before = stores.registry.version(record.use_case, champion["version"]).record.metrics
        if record.metrics.get("auc") is not None and before.get("auc") is not None:
            delta = float(record.metrics["auc"] or 0) - float(before["auc"] or 0)
    facts = {"retrained_version": version.version, "performance_delta": delta}
    stores.registry.finish_trigger(record.use_case, trigger_id, status="DONE", facts=facts)
    stores.audit.append(
        record.use_case,
        "version-registered",
        "register",
        {
            "version": version.version,
            "digest": version.digest,
            "run_id": record.run_id,
            "dataset_digest": record.dataset_digest,
            "record_digest": record.record_digest(),
        },
        once=f"version-registered#{version.version}",
    )
