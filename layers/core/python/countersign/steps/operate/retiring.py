"""Withdrawing a version, and deleting the bytes of one that nothing may need any more."""

from __future__ import annotations

from typing import Any

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.governance.versions import Version
from countersign.http import HttpRequest, HttpResponse
from countersign.steps.operate.body import fields, repeat_key

# What a model is loaded from. Manifest, evaluation, report and card are evidence: they stay.
BYTES = ("golden.npz", "model.onnx", "model.ubj", "native.npz")


def archive(request: HttpRequest, stores: Stores) -> HttpResponse:
    """POST …/versions/{version}/archive {reason}: a staged version that nobody wants is withdrawn."""
    use_case, version, reason, actor = _asked(request)
    found = stores.registry.archive_version(use_case, version, actor=actor, reason=reason)
    facts = {"version": version, "digest": found.digest, "reason": reason}
    once = f"version-archived#{version}#{repeat_key(request)}"
    stores.audit.append(use_case, "version-archived", actor, facts, once=once)
    return HttpResponse(200, {**_told(found), "archived_at": found.archived_at})


def delete(request: HttpRequest, stores: Stores) -> HttpResponse:
    """POST …/versions/{version}/deletion {reason}: its bytes go, its record and its papers stay.

    Marked first: a deletion whose worker dies is finished by asking again. Refused with the reason
    while anything names it, within its retention, and while it is one of the two newest earlier ones.
    """
    use_case, version, reason, actor = _asked(request)
    found = stores.registry.delete_version(use_case, version, actor=actor, reason=reason)
    gone = _remove(stores, found)
    facts = {"version": version, "digest": found.digest, "reason": reason, "files": list(BYTES)}
    stores.audit.append(
        use_case, "version-deleted", found.deleted_by, facts, once=f"version-deleted#{version}"
    )
    dates = {"deleted_at": found.deleted_at, "deleted_by": found.deleted_by}
    return HttpResponse(200, {**_told(found), **dates, "files": gone})


def _remove(stores: Stores, found: Version) -> list[str]:
    """Delete what loads the model, from the version's folder and its run's; the keys that went."""
    record = found.record
    folders = (f"{record.use_case}/{record.version}/", f"{record.use_case}/runs/{record.run_id}/")
    keys = [
        key
        for folder in folders
        for key in stores.artifacts.keys(folder)
        if key.removeprefix(folder) in BYTES
    ]
    for key in keys:
        stores.artifacts.delete(key)
    return keys


def _asked(request: HttpRequest) -> tuple[str, str, str, str]:
    name = use_cases.get(request.path_params["use_case"]).name
    reason = fields(request, {"reason": str})["reason"]
    return name, request.path_params["version"], reason, request.caller.person


def _told(found: Version) -> dict[str, Any]:
    return {"use_case": found.record.use_case, "version": found.version, "stage": found.stage}
