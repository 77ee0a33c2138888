"""Runs of the training machine, as the models bucket keeps them, in the shape of a run at a desk."""

from __future__ import annotations

import json
from typing import Any

from countersign.aws.lake import Lake
from countersign.cli.deployment import Deployment
from countersign.errors import NotFoundError
from countersign.learning.record import RECORD
from countersign.workbench.runs import describe_machine_run


def machine_runs(use_case: str, identity: str) -> list[dict[str, Any]]:
    """Every run of `use_case` that was judged, oldest first; read with the identity's own rights."""
    deployment = Deployment.signed_as(identity)
    models = Lake(deployment.client("s3"), deployment.cloud.outputs["buckets"]["models"])
    return read_machine_runs(models, use_case)


def read_machine_runs(models: Lake, use_case: str) -> list[dict[str, Any]]:
    """The runs of a models bucket; one without record or verdict is not whole and is passed over."""
    prefix = f"{use_case}/runs/"
    folders = sorted(
        {key.rpartition("/")[0] for key in models.keys(prefix) if key.endswith(f"/{RECORD}")}
    )
    made = []
    for folder in folders:
        try:
            record, document = (
                json.loads(models.get(f"{folder}/{name}")) for name in (RECORD, "evaluation.json")
            )
        except NotFoundError:
            continue
        made.append(
            {**describe_machine_run(record, document), "folder": f"s3://{models.bucket}/{folder}"}
        )
    return sorted(made, key=lambda run: (run["created_at"], run["run_id"]))
