"""What an alert blocked, a person lifts: seen by staff, done by operators, on record with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from countersign.aws.blocks import Blocks
from countersign.clock import iso
from countersign.errors import ConflictError, NotFoundError, RequestError, RoleError
from countersign.governance.quality_block import Finding

from tests.unit.operate.house import House
from tests.unit.registry.world import USE_CASE

LIST, ACKNOWLEDGE = "/v1/data-quality", "/v1/data-quality/{use_case}/acknowledgement"
MEAN = "worker_gross_pay_6m_mean"
VIEWS = ("worker_pay", "worker_changes")


def log(house: House, *features: str, check: str = "null rate") -> None:
    """A quality log of now, with a finding for each of these features."""
    found = [
        Finding(view="worker_pay", feature=f, check=check, text=f"{f}: 3.00% null, critical")
        for f in features
    ]
    Blocks.of(house.stores).take_log(USE_CASE, found, views=VIEWS, as_of=iso(house.clock.at))
    house.pass_time(minutes=1)


def listed(house: House, role: str = "auditor") -> dict[str, Any]:
    document: dict[str, Any] = house.call(role, "GET", LIST).document
    json.dumps(document, allow_nan=False)
    return document


def acknowledge(house: House, role: str = "operator", **body: Any) -> Any:
    body = {"reason": "Delivered again", **body}
    return house.call(role, "POST", ACKNOWLEDGE, body, use_case=USE_CASE).document


def test_without_an_alert_nothing_is_blocked(house: House) -> None:
    assert listed(house) == {"blocked": [], "blocks": []}
    with pytest.raises(NotFoundError):
        acknowledge(house)


def test_a_block_is_shown_with_what_was_found(house: House) -> None:
    log(house, MEAN)
    (block,) = listed(house)["blocks"]
    assert (block["use_case"], block["blocked"], block["status"]) == (USE_CASE, True, "raised")
    assert [(a["view"], a["feature"], a["check"]) for a in block["alerts"]] == [
        ("worker_pay", MEAN, "null rate")
    ]
    assert not block["safe_to_acknowledge"]
    assert listed(house)["blocked"] == [USE_CASE]


def test_a_clean_log_says_it_is_safe_and_lifts_nothing(house: House) -> None:
    log(house, MEAN)
    log(house)
    (block,) = listed(house)["blocks"]
    assert block["blocked"]
    assert block["safe_to_acknowledge"]


def test_an_operator_lifts_it_with_a_reason_that_the_audit_keeps(house: House) -> None:
    log(house, MEAN)
    lifted = acknowledge(house)
    assert (lifted["blocked"], lifted["acknowledged_by"]) == (False, "olga")
    assert lifted["reason"] == "Delivered again"
    assert listed(house)["blocked"] == []
    entry = house.stores.audit.entries(USE_CASE)[-1]
    assert (entry.action, entry.actor) == ("quality-block-acknowledged", "olga")
    assert json.loads(entry.facts)["findings"] == [f"worker_pay.{MEAN}: null rate"]


def test_the_same_acknowledgement_again_is_on_record_once(house: House) -> None:
    log(house, MEAN)
    assert acknowledge(house) == acknowledge(house)
    assert house.actions().count("quality-block-acknowledged") == 1
    with pytest.raises(ConflictError):
        acknowledge(house, reason="Another one")


def test_a_finding_that_came_since_is_not_lifted_unseen(house: House) -> None:
    log(house, MEAN)
    seen = listed(house)["blocks"][0]["revision"]
    log(house, MEAN, "worker_net_to_gross_ratio_6m_mean")
    with pytest.raises(ConflictError):
        acknowledge(house, revision=seen)
    assert listed(house)["blocked"] == [USE_CASE]
    acknowledge(house, revision=listed(house)["blocks"][0]["revision"])


@pytest.mark.parametrize(
    "role",
    ["ml-engineer", "data-scientist", "team-lead", "bsa-officer", "auditor", "scoring-client"],
)
def test_only_an_operator_lifts(house: House, role: str) -> None:
    log(house, MEAN)
    with pytest.raises(RoleError):
        acknowledge(house, role)
    assert listed(house, "operator")["blocked"] == [USE_CASE]


def test_scoring_clients_do_not_see_it(house: House) -> None:
    with pytest.raises(RoleError):
        listed(house, "scoring-client")


@pytest.mark.parametrize("body", [{"reason": ""}, {"revision": "1"}, {"person": "somebody"}])
def test_a_reason_is_needed_and_the_person_is_the_caller(house: House, body: Any) -> None:
    log(house, MEAN)
    with pytest.raises(RequestError):
        acknowledge(house, **body)
