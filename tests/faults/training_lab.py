"""A training that can be killed at any write, put back to where it was, and done again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from countersign.aws.session import client
from countersign.cli.importers import import_telco
from countersign.steps import evaluate, export_model, freeze_dataset, register, train

from tests.unit.importers import test_telco as telco
from tests.unit.importers.published_files import write
from tests.unit.training_machine.yard import Machine

USE_CASE = "telco_churn"
WRITES = (
    "s3.PutObject",
    "s3.CopyObject",
    "dynamodb.PutItem",
    "dynamodb.UpdateItem",
    "dynamodb.TransactWriteItems",
)
BEFORE, AFTER = "before-send", "after-call"  # nothing was done; it was done and nobody heard
TABLES = {"registry": ("pk", "sk"), "audit": ("pk", "seq")}


class WorkerDiedError(Exception):
    """As far as a step can tell: it is simply gone."""


class Death:
    """Kills at the n-th write and at those after it. `calls` counts them."""

    def __init__(self, at: int) -> None:
        self.at, self.calls, self._lock = at, 0, Lock()

    def __call__(self, **_: Any) -> None:
        with self._lock:
            self.calls += 1
            if self.calls >= self.at:
                raise WorkerDiedError


@contextmanager
def dies(*, at: int, moment: str = BEFORE) -> Iterator[Death]:
    """From the `at`-th write on, to S3 or DynamoDB, each dies."""
    death = Death(at)
    for call in WRITES:
        client(call.split(".", maxsplit=1)[0]).meta.events.register(f"{moment}.{call}", death)
    try:
        yield death
    finally:
        for call in WRITES:
            client(call.split(".", maxsplit=1)[0]).meta.events.unregister(f"{moment}.{call}", death)


def deliver(machine: Machine, folder: Path) -> None:
    """Customers whose churn follows from tenure, most of the time; every column varies."""
    dice = random.Random(5)
    choices = {
        "gender": ("Female", "Male"), "SeniorCitizen": ("0", "1"), "Partner": ("Yes", "No"),
        "Dependents": ("Yes", "No"), "InternetService": ("DSL", "Fiber optic", "No"),
        "Contract": ("Month-to-month", "One year", "Two year"), "PaperlessBilling": ("Yes", "No"),
        "PhoneService": ("Yes", "No"), "MultipleLines": ("Yes", "No"),
        "PaymentMethod": ("Electronic check", "Mailed check", "Credit card (automatic)"),
    } | dict.fromkeys(
        ("OnlineSecurity", "OnlineBackup", "DeviceProtection", "TechSupport", "StreamingTV",
         "StreamingMovies"), ("Yes", "No")
    )  # fmt: skip
    rows = []
    for number in range(1_200):
        facts = {name: dice.choice(values) for name, values in choices.items()}
        tenure, monthly = dice.randint(1, 70), dice.randint(2_000, 11_000) / 100
        risk = 0.92 if tenure < 22 else 0.04
        facts |= {"tenure": str(tenure), "MonthlyCharges": f"{monthly:.2f}"}
        facts |= {"TotalCharges": f"{monthly * tenure * dice.uniform(0.9, 1.1):.2f}"}
        facts |= {"Churn": "Yes" if dice.random() < risk else "No"}
        rows.append(telco.row(number, **facts))
    made = import_telco([write(folder / "a.csv", telco.HEADER, *rows)], folder / "out")
    machine.deliver(folder / "out", (file.key for file in made.files))


class Lab:
    """One approved run and its steps by name."""

    def __init__(self, machine: Machine) -> None:
        self.stores = machine.stores
        self.trigger = machine.approved(USE_CASE)
        started = machine.authorise(USE_CASE, self.trigger)
        self.run_id, self.as_of = str(started["run_id"]), str(started["as_of"])
        self.folder = f"{USE_CASE}/runs/{self.run_id}"
        self.dataset_id = ""

    def step(self, name: str) -> Any:
        """Do one step of the machine."""
        asked: dict[str, Any] = {"use_case": USE_CASE, "run_id": self.run_id}
        if name == "freeze":
            made = freeze_dataset.run(
                freeze_dataset.Request(**asked, as_of=self.as_of), self.stores
            )
            self.dataset_id = made.dataset_id
            return made
        if name == "reject":
            error = {"Error": "Lambda.Unknown", "Cause": "the worker died"}
            return register.run(
                register.Request(action="reject", **asked, error=error), self.stores
            )
        asked["dataset_id"] = self.dataset_id
        if name == "register":
            return register.run(register.Request(action="register", **asked), self.stores)
        module: Any = {"train": train, "export": export_model, "evaluate": evaluate}[name]
        return module.run(module.Request(**asked), self.stores)

    def objects(self) -> dict[str, bytes]:
        """Everything in both buckets, by bucket and key."""
        stores = (self.stores.lake, self.stores.artifacts)
        return {f"{s.bucket}/{key}": s.get(key) for s in stores for key in s.keys("")}

    def items(self) -> dict[str, list[dict[str, Any]]]:
        """Everything in both tables."""
        found = {table: client("dynamodb").scan(TableName=table)["Items"] for table in TABLES}
        return {t: sorted(rows, key=lambda row: str(row.items())) for t, rows in found.items()}

    def put_back(self, objects: dict[str, bytes], items: dict[str, list[dict[str, Any]]]) -> None:
        """As if nothing had happened since."""
        s3, dynamodb = client("s3"), client("dynamodb")
        for name, body in self.objects().items():
            bucket, _, key = name.partition("/")
            if name not in objects:
                s3.delete_object(Bucket=bucket, Key=key)
            elif body != objects[name]:
                s3.put_object(Bucket=bucket, Key=key, Body=objects[name])
        for table, rows in self.items().items():
            for row in (r for r in rows if r not in items[table]):
                of = {name: row[name] for name in TABLES[table]}
                dynamodb.delete_item(TableName=table, Key=of)
            for row in (r for r in items[table] if r not in rows):
                dynamodb.put_item(TableName=table, Item=row)
