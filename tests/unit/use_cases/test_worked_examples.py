"""Every feature of every served use case has a worked example in this folder, or beside its importer."""

from __future__ import annotations

from pathlib import Path

import pytest
from countersign import use_cases
from countersign.declare import FeatureView, UseCase

USE_CASES = list(use_cases.all_use_cases().values())
VIEWS = list({view.name: view for case in USE_CASES for view in case.views}.values())
HERE = Path(__file__).parent
FOLDERS = (HERE, HERE.parent / "importers")
WORKED = "".join(
    path.read_text() for folder in FOLDERS for path in sorted(folder.glob("test_*.py"))
)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_view_feature_is_worked_by_hand(view: FeatureView) -> None:
    assert not [f.name for f in view.features if f'"{f.name}"' not in WORKED]


@pytest.mark.parametrize("case", USE_CASES, ids=lambda case: case.name)
def test_every_request_feature_is_worked_by_hand(case: UseCase) -> None:
    assert not [f.name for f in case.request_features if f'"{f.name}"' not in WORKED]


def test_the_payments_pack_is_whole_and_fraud_learns_from_all_of_it() -> None:
    asked = {
        "customer_total_payments_30d", "customer_failure_rate_30d", "customer_avg_amount_cents",
        "customer_days_since_first_payment", "customer_payment_method_count",
        "merchant_total_volume_30d", "merchant_failure_rate_30d",
        "merchant_avg_transaction_amount", "merchant_customer_count",
        "amount_cents", "payment_method_type", "card_brand", "is_guest_checkout",
        "transaction_hour_of_day", "transaction_day_of_week", "transaction_is_weekend",
        "amount_to_customer_avg_ratio",
    }  # fmt: skip
    assert asked <= set(use_cases.get("fraud").inputs)
