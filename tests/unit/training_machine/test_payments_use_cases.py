"""Fraud, churn, retry and recovery, each from a delivery to a version in Staging, step by step.

The figures are those of honest generated data, within what chance moves.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from countersign import use_cases
from countersign.cli import payments_generator

from .yard import NOW, Machine, is_registered, machine, within


@pytest.fixture(scope="module")
def payments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Fifteen months of 2 600 accounts, ingested and built: the world of four use cases."""
    with machine() as made:
        out = tmp_path_factory.mktemp("payments")
        world = {"customers": 2600, "merchants": 80, "months": 15, "batch_months": 40}
        delivered = payments_generator.generate(out, seed=7, as_of=NOW, **world)
        made.deliver(out, (file.key for file in delivered.files))
        made.build("fraud", "churn", "retry", "recovery")
        yield made


def test_fraud_trains_and_the_rules_add_to_the_model(payments: Machine) -> None:
    run = payments.train("fraud")
    is_registered(run)
    within(run, auc=(0.85, 0.97), average_precision=(0.2, 0.6), false_positive_rate=(0.0, 0.05))
    compared = run.document()["rules_comparison"]
    assert compared["rules"]["auc"] + 0.1 < compared["hybrid"]["auc"]
    assert compared["hybrid"]["auc"] > compared["model"]["auc"] - 0.03


def test_churn_trains_on_accounts_that_are_reviewed_every_month(payments: Machine) -> None:
    """One label names many rows: rows are told apart by their review, not by their customer."""
    run = payments.train("churn")
    is_registered(run)
    within(run, auc=(0.7, 0.9), brier=(0.03, 0.12))


def test_retry_trains_a_model_of_five_strategies(payments: Machine) -> None:
    run = payments.train("retry")
    is_registered(run)
    within(run, accuracy=(0.4, 0.7), macro_f1=(0.3, 0.7), log_loss=(0.8, 1.45))
    record = payments.stores.registry.version("retry", "1.0.0").record
    assert not record.cost_optimal_threshold
    card = payments.stores.artifacts.get(f"{run.folder}/card.md").decode()
    assert "Accuracy on the test rows: rules" in card
    assert set(run.document()["classes"]) == set(use_cases.get("retry").label.classes)


def test_recovery_trains_on_what_churn_and_retry_said_when_a_case_was_opened(
    payments: Machine,
) -> None:
    run = payments.train("recovery")
    is_registered(run)
    within(run, auc=(0.65, 0.95), brier=(0.1, 0.25))
    manifest = payments.stores.lake.read_json(f"datasets/{run.dataset_id}/manifest.json")
    # Before there were models to ask, nothing was said, and nothing is made up for it.
    said = manifest["checks"]["upstream"]["churn"]
    assert said["stated"] + said["null"] == manifest["rows"]
    assert 0 < manifest["summary"]["churn_score"]["null_rate"] < 0.5
    leant_on = {item["feature"] for item in run.document()["importance"][:4]}
    assert leant_on & {"churn_score", "retry_score"}
