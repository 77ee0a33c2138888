"""The eleven PaySim features with numbers that can be checked by hand, and which of them may teach."""

from __future__ import annotations

from typing import Any

import pytest
from countersign import use_cases
from countersign.features import request_time
from countersign.use_cases.paysim_fraud.features import AFTER_THE_FACT

CASE = use_cases.get("paysim_fraud")
# 900.00 leave an account of 1 000.00 at six in the evening, and 950.00 arrive on one of 50.00.
TRANSFER: dict[str, Any] = {
    "transaction_id": "ps-1",
    "dest_account": "C2",
    "occurred_at": "2017-01-02T18:00:00.000000Z",
    "type": "TRANSFER",
    "amount_minor": 90_000,
    "orig_balance_before_minor": 100_000,
    "orig_balance_after_minor": 10_000,
    "dest_balance_before_minor": 5_000,
    "dest_balance_after_minor": 100_000,
}
ELEVEN = {
    "paysim_type": 4.0,
    "paysim_amount": 90_000.0,
    "paysim_orig_balance_before": 100_000.0,
    "paysim_orig_balance_after": 10_000.0,
    "paysim_dest_balance_before": 5_000.0,
    "paysim_dest_balance_after": 100_000.0,
    "paysim_orig_balance_delta": -90_000.0,
    "paysim_dest_balance_delta": 95_000.0,
    "paysim_orig_balance_error": 0.0,
    "paysim_dest_balance_error": -5_000.0,
    "paysim_hour": 18.0,
}
BALANCES = {name for name in TRANSFER if "_balance_" in name}


def made(**changes: Any) -> dict[str, float | None]:
    return request_time.compute(CASE, TRANSFER | changes, {})


def test_they_are_eleven() -> None:
    assert [f.name for f in CASE.request_features] == list(ELEVEN)


@pytest.mark.parametrize("name", ELEVEN)
def test_each_is_what_a_person_works_out(name: str) -> None:
    assert made()[name] == ELEVEN[name]


@pytest.mark.parametrize("name", ELEVEN)
def test_each_is_null_when_what_it_is_made_of_is_not_stated(name: str) -> None:
    nothing = dict.fromkeys((*BALANCES, "amount_minor", "type", "occurred_at"))
    assert made(**nothing)[name] is None


@pytest.mark.parametrize("balance", sorted(BALANCES))
def test_a_blank_balance_leaves_the_features_of_the_other_party_alone(balance: str) -> None:
    side = balance.partition("_")[0]
    other = {name for name in ELEVEN if f"_{side}_" not in name}
    found = made(**{balance: None})
    assert {name: found[name] for name in other} == {name: ELEVEN[name] for name in other}
    assert found[f"paysim_{side}_balance_error"] is None


@pytest.mark.parametrize(
    ("kind", "code"),
    [("CASH_IN", 0.0), ("CASH_OUT", 1.0), ("DEBIT", 2.0), ("PAYMENT", 3.0), ("BARTER", 5.0)],
)
def test_a_type_is_its_place_and_an_unknown_one_has_a_place_of_its_own(
    kind: str, code: float
) -> None:
    assert made(type=kind)["paysim_type"] == code
    assert CASE.feature("paysim_type").categories[4] == "TRANSFER"  # type: ignore[union-attr]


def test_cash_in_counts_twice_in_the_sender_s_error() -> None:
    """PaySim's books of cash in run the other way; the formula is stated and does not look at the type."""
    found = made(type="CASH_IN", orig_balance_after_minor=190_000)
    assert found["paysim_orig_balance_delta"] == 90_000.0
    assert found["paysim_orig_balance_error"] == 180_000.0


def test_a_cancelled_transfer_shows_in_what_is_known_after_it_only() -> None:
    before = made(dest_balance_before_minor=0, dest_balance_after_minor=90_000)
    cancelled = made(dest_balance_before_minor=0, dest_balance_after_minor=0)
    assert cancelled["paysim_dest_balance_error"] == 90_000.0
    differing = {name for name in ELEVEN if before[name] != cancelled[name]}
    assert differing <= AFTER_THE_FACT


def test_no_input_needs_what_is_known_after_the_money_moved() -> None:
    """Every input stays the same when all that happens afterwards is taken away."""
    known_after = [name for name in TRANSFER if "_after_" in name]
    without = made(**dict.fromkeys(known_after))
    changed = {name for name in ELEVEN if without[name] != ELEVEN[name]}
    assert changed == AFTER_THE_FACT
    assert not AFTER_THE_FACT & set(CASE.inputs)
    assert all(
        "Known only once the money has moved" in CASE.feature(n).description for n in changed
    )


def test_the_other_rule_s_flag_is_no_feature_and_no_field_of_a_request() -> None:
    assert "flagged_by_rule" not in {field.path for field in CASE.request_fields}
    text = " ".join(f.expression + f.where for view in CASE.views for f in view.features)
    assert "flagged" not in text
    assert "_after_" not in text
