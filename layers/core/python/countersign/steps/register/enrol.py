"""A run that passed its gates becomes a version in Staging."""

from __future__ import annotations

from typing import Any

from countersign import use_cases
from countersign.aws.artifacts import Verified
from countersign.aws.stores import Stores
from countersign.errors import (
    ArtifactError,
    ConflictError,
    DigestMismatchError,
    GateError,
    NotFoundError,
    SyntheticDataError,
)
from countersign.governance.versions import Version
from countersign.steps.register.authorise import trigger_of
from countersign.steps.register.birth import record_of

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
    if trigger["status"] not in {"STARTED", "DONE"}:  # a slow worker, after the run was given up
        raise ConflictError(f"Run {run_id} is {trigger['status']}; propose a training anew")
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


def compared(stores: Stores, version: Version) -> dict[str, Any]:
    """How evaluation found the version beside the champion of then, on the same test rows."""
    try:
        found: dict[str, Any] = stores.artifacts.read_json(
            f"{version.record.use_case}/runs/{version.run_id}/succession.json"
        )
    except NotFoundError:
        return {"delta": None, "reason": "evaluation left no comparison"}
    return found


def conclude(stores: Stores, version: Version, trigger_id: str) -> None:
    """The trigger is done, and the chain knows of the version."""
    record = version.record
    beside = compared(stores, version)
    facts = {
        "retrained_version": version.version,
        "performance_delta": beside["delta"],
        "compared": beside,
    }
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
