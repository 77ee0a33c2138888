"""A quality alert blocks scoring: once, told at once, until a person lifts it; and what is news thereafter."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from countersign.aws.blocks import Blocks
from countersign.aws.session import client
from countersign.clock import iso
from countersign.errors import ConflictError, QualityBlockError
from countersign.governance.quality_block import Finding, is_raised, refuse
from countersign.steps import build_features
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.use_cases.payroll import slip

from .cloud import Cloud
from .store import Store

USE_CASE = "payroll_anomaly"
MEAN, RATIO = "worker_gross_pay_6m_mean", "worker_net_to_gross_ratio_6m_mean"


@pytest.fixture
def store(aws: Cloud) -> Store:
    """One worker, whose net pay of October is a hundred times the gross: out of the ratio's valid range."""
    made = Store(aws)
    made.deliver("payslips", [slip(1, "2026-09-30", 300_000)])
    made.deliver("payslips", [slip(2, "2026-10-30", 300_000, net_pay_minor=30_000_000)])
    made.refresh()
    return made


def inbox(aws: Cloud) -> str:
    """A queue behind the notices topic."""
    url: str = client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    arn = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    topic = aws.stores.settings.notices_topic_arn
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
    return url


def notices(url: str) -> list[dict[str, Any]]:
    answer = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    for message in answer.get("Messages", []):
        client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def log(store: Store) -> dict[str, Any] | None:
    """The features machine's quality log of now, and the block after it."""
    as_of = iso(store.aws.clock.at)
    build_features.run(build_features.Request(action="quality", as_of=as_of), store.stores)
    return Blocks.of(store.stores).find(USE_CASE)


def mend(store: Store) -> None:
    """The payslip as it should have been."""
    known = iso(store.aws.clock.at)
    store.deliver("payslips", [slip(2, "2026-10-30", 300_000, revision=1, known_at=known)])
    store.refresh()


def take(aws: Cloud, *features: str, as_of: str = "") -> dict[str, Any] | None:
    """The block after a log with these findings."""
    found = [Finding(view="worker_pay", feature=f, check="range", text="t") for f in features]
    moment = as_of or iso(aws.clock.at)
    return Blocks.of(aws.stores).take_log(USE_CASE, found, views=["worker_pay"], as_of=moment)


def lift(aws: Cloud) -> None:
    Blocks.of(aws.stores).acknowledge(USE_CASE, person="olga", reason="Known and harmless")


def actions(store: Store) -> list[str]:
    return [entry.action for entry in store.stores.audit.entries(USE_CASE)]


def test_a_critical_finding_blocks_scoring_and_is_told_as_critical(store: Store) -> None:
    queue = inbox(store.aws)
    block = log(store)
    assert block is not None
    assert block["status"] == "raised"
    assert [(a["view"], a["feature"], a["check"]) for a in block["alerts"]] == [
        ("worker_pay", RATIO, "range")
    ]
    (notice,) = notices(queue)
    assert notice["Subject"].startswith("[critical] Scoring of payroll_anomaly is blocked")
    assert "docs/runbooks/data-quality.md" in notice["Message"]
    assert actions(store) == ["quality-block-raised", "notice-raised"]


def test_a_good_day_blocks_nothing(store: Store) -> None:
    mend(store)
    assert log(store) is None


def test_raising_twice_is_raising_once(store: Store) -> None:
    queue = inbox(store.aws)
    first = log(store)
    assert log(store) == first
    assert len(notices(queue)) == 1
    assert actions(store).count("quality-block-raised") == 1


def test_a_finding_of_a_worker_that_came_between_is_not_lost(aws: Cloud) -> None:
    events, seen = client("dynamodb").meta.events, list[bool]()

    def meanwhile(**_: Any) -> None:
        if not seen:
            seen.append(True)
            take(aws, RATIO)

    take(aws, MEAN)
    events.register_first("before-send.dynamodb.PutItem", meanwhile)
    try:
        block = take(aws, MEAN, "worker_bonus_13m_max")
    finally:
        events.unregister("before-send.dynamodb.PutItem", meanwhile)
    assert block is not None
    found = {a["feature"]: a["cleared_at"] for a in block["alerts"]}
    assert found.keys() == {MEAN, RATIO, "worker_bonus_13m_max"}


def test_a_clean_log_says_when_it_was_mended_and_lifts_nothing(store: Store) -> None:
    log(store)
    mend(store)
    block = log(store)
    assert block is not None
    assert is_raised(block)
    assert block["cleared_at"] == iso(store.aws.clock.at)


def test_what_was_acknowledged_does_not_block_again_on_its_day(aws: Cloud) -> None:
    take(aws, MEAN)
    lift(aws)
    aws.clock.at += timedelta(hours=1)
    assert not is_raised(take(aws, MEAN))


def test_the_next_day_it_does(aws: Cloud) -> None:
    take(aws, MEAN)
    lift(aws)
    aws.clock.at += timedelta(days=1)
    assert is_raised(take(aws, MEAN))


def test_another_finding_of_the_same_day_does(aws: Cloud) -> None:
    take(aws, MEAN)
    lift(aws)
    block = take(aws, MEAN, RATIO)
    assert block is not None
    assert is_raised(block)
    assert [a["feature"] for a in block["alerts"]] == [RATIO]


def test_a_later_delivery_that_breaks_it_again_is_a_new_finding(store: Store) -> None:
    log(store)
    lift(store.aws)
    mend(store)
    assert not is_raised(log(store))
    known = iso(store.aws.clock.at)
    bad = slip(2, "2026-10-30", 300_000, revision=2, net_pay_minor=30_000_000, known_at=known)
    store.deliver("payslips", [bad])
    store.refresh()
    assert is_raised(log(store))


def test_an_older_log_says_nothing_new(aws: Cloud) -> None:
    before = iso(aws.clock.at)
    aws.clock.at += timedelta(minutes=5)
    take(aws, MEAN)
    lift(aws)
    assert not is_raised(take(aws, RATIO, as_of=before))


def test_a_notice_that_was_not_sent_is_sent_by_the_next_log(store: Store) -> None:
    queue = inbox(store.aws)
    take(store.aws, RATIO)
    log(store)
    assert len(notices(queue)) == 1
    assert "quality-block-raised" in actions(store)


def test_a_lifted_block_is_not_lifted_again(aws: Cloud) -> None:
    take(aws, MEAN)
    lift(aws)
    with pytest.raises(ConflictError):
        Blocks.of(aws.stores).acknowledge(USE_CASE, person="otto", reason="me too")


def test_the_refusal_names_the_feature_and_the_check_and_no_number(aws: Cloud) -> None:
    block = take(aws, RATIO)
    assert block is not None
    with pytest.raises(QualityBlockError) as caught:
        refuse(USE_CASE, block)
    assert [error.field for error in caught.value.errors] == [f"worker_pay.{RATIO}"]
    assert not any(letter.isdigit() for letter in caught.value.detail.replace(RATIO, ""))


@pytest.mark.parametrize("block", [{"status": "raised"}, {"status": "?"}, {}])
def test_a_block_that_does_not_say_it_was_lifted_blocks(block: dict[str, Any]) -> None:
    with pytest.raises(QualityBlockError):
        refuse(USE_CASE, block)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("log"), st.frozensets(st.sampled_from("abc"))),
        st.tuples(st.just("lift"), st.just(frozenset[str]())),
        st.tuples(st.just("midnight"), st.just(frozenset[str]())),
    ),
    max_size=12,
)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_scoring_is_blocked_exactly_while_a_finding_is_not_acknowledged(
    aws: Cloud, steps: list[tuple[str, frozenset[str]]]
) -> None:
    """Against a plain account of what was found on which day, and what of it was accepted."""
    client("dynamodb").delete_item(
        TableName="registry", Key={"pk": {"S": f"block#{USE_CASE}"}, "sk": {"S": "state"}}
    )
    blocks, blocked = Blocks.of(aws.stores), False
    accepted: dict[str, str] = {}
    standing: dict[str, str] = {}
    for what, features in steps:
        aws.clock.at += timedelta(days=1) if what == "midnight" else timedelta(minutes=1)
        today = iso(aws.clock.at)[:10]
        if what == "lift" and blocked:
            blocks.acknowledge(USE_CASE, person="olga", reason=iso(aws.clock.at))
            accepted, standing, blocked = {**accepted, **standing}, {}, False
        elif what == "log":
            found = [Finding(view="v", feature=f, check="range", text="t") for f in features]
            blocks.take_log(USE_CASE, found, views=["v"], as_of=iso(aws.clock.at))
            accepted = {f: day for f, day in accepted.items() if f in features and day == today}
            standing = dict.fromkeys(features - set(accepted), today)
            blocked = blocked or bool(standing)
        block = blocks.find(USE_CASE)
        assert is_raised(block) == blocked
        if blocked and block is not None:
            assert {a["feature"] for a in block["alerts"] if not a["cleared_at"]} == set(standing)
            assert (block["cleared_at"] is not None) == (not standing)
