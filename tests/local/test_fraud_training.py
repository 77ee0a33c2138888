"""A second use case in the same cloud: payments arrive, their features are built, and fraud is trained.

Its label, its views and its trainer (boosted trees, from the training layer) are not payroll's, so this is what
shows that a use case is a declaration and nothing more.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from countersign.cli.local_cloud.client import Cloud, Execution
from countersign.cli.payments_generator import generate
from countersign.clock import iso

from tests.local.life import Life

MODEL = "/v1/models/fraud"


@pytest.fixture(scope="module")
def payments(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """A year of payments, delivered, and the features machine that its marker started."""
    shop = Life(cloud, tmp_path_factory.mktemp("payments"), datetime.now(UTC))
    world = {"customers": 1600, "merchants": 60, "months": 12, "batch_months": 24}
    made = generate(shop.folder, seed=11, as_of=shop.as_of, **world)

    def upload(key: str) -> None:
        shop.upload(key, (shop.folder / key).read_bytes())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upload, (file.key for file in made.files)))
    upload(f"raw/_COMPLETE/{made.marker.name}")
    arn = shop.wait("the features machine", lambda: shop.execution("features", since=shop.as_of))
    shop.ended(arn, seconds=300)
    return shop


@pytest.fixture(scope="module")
def training(payments: Life) -> Execution:
    """Proposed by the operator, approved by the data scientist, ended one way or the other."""
    body = {"trigger_type": "incident", "reason": "chargebacks rise", "as_of": iso(payments.as_of)}
    proposed = payments.told("operator", "POST", f"{MODEL}/retraining", body)
    assert payments.decide(proposed["approval_id"], "data-scientist").status == 200
    name = proposed["trigger_id"]
    arn = payments.wait("the training", lambda: payments.execution("training", name=name))
    return payments.cloud.await_execution(arn, 300)


def read(payments: Life, file: str) -> bytes:
    """A file of the newest run."""
    (trigger, *_) = payments.told("auditor", "GET", f"{MODEL}/retraining")["triggers"]
    bucket = payments.cloud.outputs["buckets"]["models"]
    key = f"fraud/runs/run-{trigger['trigger_id']}/{file}"
    body = payments.cloud.client("s3", "auditor").get_object(Bucket=bucket, Key=key)["Body"]
    return bytes(body.read())


def test_fraud_is_trained_to_a_version_or_to_a_reasoned_rejection(
    payments: Life, training: Execution
) -> None:
    """The generated year is another every day, so the gates may fail: never silently."""
    judged: dict[str, Any] = json.loads(read(payments, "evaluation.json"))
    (trigger, *_) = payments.told("auditor", "GET", f"{MODEL}/retraining")["triggers"]
    if judged["passed"]:
        assert training.ok, payments.failures(training.arn)
        version = payments.told("auditor", "GET", f"{MODEL}/versions/{training.output['version']}")
        assert (version["stage"], version["model_type"]) == ("Staging", "xgboost_binary")
        assert version["synthetic"] is True
        assert trigger["retrained_version"] == version["version"]
    else:
        assert training.error == "Rejected", payments.failures(training.arn)
        failed = [gate["metric"] for gate in judged["gates"] if not gate["passed"]]
        assert failed
        assert all(metric in trigger["error"] for metric in failed)


def test_its_evaluation_is_that_of_boosted_trees_over_every_declared_input(
    payments: Life, training: Execution
) -> None:
    judged = json.loads(read(payments, "evaluation.json"))
    assert judged["model"]["kind"] == "xgboost_binary"
    assert judged["dataset"]["features"] == 22
    assert judged["metrics"]["auc"]["value"] > 0.75
    parity = json.loads(read(payments, "parity.json"))
    assert parity["max_abs_difference"] <= 1e-5


def test_its_report_is_there_whichever_way_it_ended(payments: Life, training: Execution) -> None:
    page = read(payments, "report.html").decode()
    assert "Held back by" in page or "Every gate holds" in page
