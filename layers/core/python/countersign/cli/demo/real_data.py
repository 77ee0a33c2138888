"""With DATA, the first steps also run on real annual earnings files, in a second local cloud of their own.

Their workers are not the synthetic ones, and whatever lies in one lake is in every training set made from
it; two clouds share nothing. The second is started for the files and stopped when their gates are judged.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from countersign.cli.demo import launch
from countersign.cli.demo.learning import retrain
from countersign.cli.demo.recorder import DemoError, Facts
from countersign.cli.demo.world import World
from countersign.cli.importers import Imported, import_earnings
from countersign.cli.local_cloud import process
from countersign.errors import ContractError, FieldError

USE_CASE = "annual_earnings"
INJECTED = 0.02
# What a run may honestly end with: gates that did not hold, or data that cannot teach.
HONEST_ENDS = ("GateError", "DataError", "TooFewRowsError")


def read(folder: Path, out: Path) -> Imported:
    """Import the files of `folder` afresh. Raises ContractError for what is no known file."""
    if not folder.is_dir():
        expected = FieldError("DATA", "a folder with *earnings*.csv or .csv.gz")
        raise ContractError(f"{folder} is not a folder", errors=(expected,))
    shutil.rmtree(out, ignore_errors=True)
    return import_earnings([folder], out, inject_rate=INJECTED)


class RealData:
    """The files' own story, told within the steps of the demo."""

    def __init__(self, world: World, imported: Imported) -> None:
        settings = world.settings
        port, place = (
            process.free_port(),
            settings.directory.with_name(f"{settings.directory.name}-real"),
        )
        self.imported = imported
        self.root = imported.report.parent
        self.settings = replace(settings, port=port, directory=place)
        self.world = World(world.recorder, world.folder, world.options, self.settings)
        self.trigger = ""
        self.trained = ""
        self.steps: dict[str, Callable[[], Facts]] = {
            "ingest": self.ingest,
            "features": self.features,
            "train": self.train,
            "gates": self.gates,
        }

    def beside(self, name: str, step: Callable[[], Facts]) -> Callable[[], Facts]:
        """The step, with what it measured on the files under `real`."""
        real = self.steps.get(name)
        return step if real is None else lambda: {**step(), "real": real()}

    def ingest(self) -> Facts:
        """Start and deploy the second cloud, deliver the files, wait for the record of each."""
        self.close()
        launch.local_cloud(self.world, "up")
        launch.local_cloud(self.world, "deploy")
        raw, s3 = self.world.cloud.outputs["buckets"]["raw"], self.world.client("s3", "operator")
        marker = f"raw/_COMPLETE/{self.imported.marker.name}"
        for key in (*(file.key for file in self.imported.files), marker):
            s3.upload_file(str(self.root / key), raw, key)
        records = self.world.wait("every real file to be taken in", self._records, seconds=180)
        files = [f"{f.file} ({f.shape}): {f.rows_in} rows" for f in self.imported.read]
        return {
            "files": files,
            "rows_in": sum(file.rows_in for file in self.imported.read),
            "rows_out": sum(file.rows_out for file in self.imported.read),
            "quarantined": sum(file.quarantined for file in self.imported.read),
            "quarantine_reasons": self._refused(),
            "injected_errors": dict(self.imported.anomalies),
            "delivered": {k: v for k, v in self.imported.rows.items() if v},
            "accepted": sum(int(r["rows"]["N"]) - int(r["bad_rows"]["N"]) for r in records),
            "put_aside": [r["reason"]["S"] for r in records if r["reason"]["S"]],
        }

    def features(self) -> Facts:
        """Wait for the machine that the marker started; count what it built."""
        arn = self.world.wait(
            "the features machine to start by itself",
            lambda: self.world.newest_execution("features", self.world.as_of),
        )
        ended = self.world.execution(arn, seconds=240)
        built: Counter[str] = Counter()
        for row in self._outputs(arn, "build-features"):
            if "bucket" in row:
                built[row["view"]] += int(row["rows"])
        views = ended.output["quality"]["views"]
        return {
            "execution": arn,
            "seconds": round(ended.seconds, 1),
            "features": sum(view["features"] for view in views.values()),
            "history_rows": dict(sorted(built.items())),
            "quality_passed": ended.output["quality"]["passed"],
        }

    def train(self) -> Facts:
        """Propose and approve a training as of midyear after the last file; wait for its end."""
        year = max(file.year for file in self.imported.read) + 1
        as_of = min(datetime(year, 6, 30, tzinfo=UTC), self.world.now())
        self.trigger, self.trained = retrain(self.world, as_of, USE_CASE)
        ended = self.world.ended(self.trained, seconds=300)
        if not ended.ok and ended.error != "Rejected":
            raise DemoError(f"Training ended in {ended.failed_state}: {ended.error} {ended.cause}")
        frozen: Facts = next(self._outputs(self.trained, "freeze-dataset"), {})
        return {
            "execution": self.trained,
            "seconds": round(ended.seconds, 1),
            "use_case": USE_CASE,
            "as_of": as_of.isoformat(),
            "verdict": "registered" if ended.ok else "rejected",
            **frozen,
        }

    def gates(self) -> Facts:
        """Every gate with its value, held or not; then the second cloud is stopped."""
        path = f"/v1/models/{USE_CASE}/retraining"
        (trigger,) = self.world.api("auditor", "GET", path)["triggers"]
        reason = str(trigger.get("error") or "")
        if reason and reason.partition(":")[0] not in HONEST_ENDS:
            raise DemoError(f"Training on the real files broke: {reason}")
        judged = next(self._outputs(self.trained, "evaluate"), None)
        facts: Facts = {"verdict": "rejected" if reason else "passed", "reason": reason}
        if judged is not None:
            facts |= {"failed": judged["failed"], **self._evaluation()}
        self.close()
        return facts

    def close(self) -> None:
        """Stop the second cloud, if it runs."""
        process.stop(self.settings)

    def _evaluation(self) -> Facts:
        bucket = self.world.cloud.outputs["buckets"]["models"]
        key = f"{USE_CASE}/runs/run-{self.trigger}/evaluation.json"
        body = self.world.client("s3", "auditor").get_object(Bucket=bucket, Key=key)["Body"]
        document = json.loads(body.read())
        return {
            "gates": {gate["metric"]: gate for gate in document["gates"]},
            "fairness": document["fairness"]["verdict"],
            "metrics": {name: found["value"] for name, found in document["metrics"].items()},
        }

    def _records(self) -> list[dict[str, Any]] | None:
        """The ingest record of every delivered file, once there is one of each."""
        table, db = self.world.cloud.outputs["tables"]["registry"], self.world.client("dynamodb")
        found = []
        for file in self.imported.files:
            items = db.query(
                TableName=table,
                KeyConditionExpression="pk = :key",
                ExpressionAttributeValues={":key": {"S": f"delivery#{file.key}"}},
            )["Items"]
            if not items:
                return None
            found += items
        return found

    def _refused(self) -> list[str]:
        """Row, column and expectation of what the importer put aside; never a value."""
        files = sorted((self.root / "quarantine" / "earnings").glob("*.rows.csv"))
        return [
            f"{row['file']} row {row['row']}: {row['column']}: expected {row['expected']}"
            for file in files
            for row in csv.DictReader(file.open(encoding="utf-8", newline=""))
        ][:20]

    def _outputs(self, arn: str, function: str) -> Any:
        """What each call of a function answered in an execution, as its history tells."""
        client = self.world.client("stepfunctions", "auditor")
        pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
        for page in pages:
            for event in page["events"]:
                told = event.get("taskSucceededEventDetails", {})
                if told.get("resource", "").endswith(f"-{function}"):
                    yield json.loads(told["output"])
