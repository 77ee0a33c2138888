"""Put down why a run did not become a version."""

from __future__ import annotations

import json
from typing import Any

from countersign.aws.stores import Stores
from countersign.steps.register.authorise import trigger_of
from countersign.steps.register.enrol import conclude

LONGEST = 1000


def run(stores: Stores, use_case: str, run_id: str, error: dict[str, Any]) -> dict[str, Any]:
    """The run's trigger ends as FAILED with the error's name and what it said.

    A run whose version already stands in Staging was registered, whatever its worker died of after
    that: its registration is finished instead, so that no version has a failed trigger.
    """
    version = stores.registry.version_of_run(use_case, run_id)
    if version is not None and version.stage != "None":
        conclude(stores, version, trigger_of(run_id))
        return {
            "run_id": run_id,
            "recorded": False,
            "error": "",
            "version": version.version,
            "digest": version.digest,
            "stage": version.stage,
        }
    name, reason = str(error.get("Error", "unknown")), told(error.get("Cause", ""))
    facts = {"error": f"{name}: {reason}"}
    stores.registry.finish_trigger(use_case, trigger_of(run_id), status="FAILED", facts=facts)
    stores.audit.append(
        use_case,
        "run-rejected",
        "training",
        {"run_id": run_id, **facts},
        once=f"run-rejected#{run_id}",
    )
    return {"run_id": run_id, "recorded": True, "error": name, "stage": "None"}


def told(cause: Any) -> str:
    """The message inside what Step Functions reports of a function's error; never its trace."""
    try:
        document = json.loads(cause)
    except (TypeError, ValueError):
        return str(cause)[:LONGEST]
    message = document.get("errorMessage") if isinstance(document, dict) else None
    return str(cause if message is None else message)[:LONGEST]
