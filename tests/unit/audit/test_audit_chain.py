"""The audit log: what was done stays as it was written, or is found out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from countersign.aws.audit import SCOPES, Seals
from countersign.clock import iso
from countersign.governance.audit_chain import Head

from tests.unit.registry.world import REGION, World

SCOPE = "payroll_anomaly"


def written(world: World, count: int = 5) -> list[Head]:
    """A chain of `count` entries, sealed after the fourth."""
    sealed = []
    for number in range(1, count + 1):
        world.audit.append(SCOPE, "scored", "dana", {"number": number})
        if number == 4:
            sealed = [world.audit.head(SCOPE)]
    return sealed


def rewrite(world: World, seq: int, **changes: str) -> None:
    """What someone with rights on the table could do."""
    key = {"pk": {"S": SCOPE}, "seq": {"N": str(seq)}}
    item = world.dynamodb.get_item(TableName="audit", Key=key)["Item"]
    item |= {name: {"S": value} for name, value in changes.items()}
    world.dynamodb.put_item(TableName="audit", Item=item)


def drop(world: World, seq: int) -> None:
    world.dynamodb.delete_item(TableName="audit", Key={"pk": {"S": SCOPE}, "seq": {"N": str(seq)}})


def swap(world: World, one: int, other: int) -> None:
    entries = {e.seq: e for e in world.audit.entries(SCOPE)}
    for here, there in ((one, other), (other, one)):
        moved = entries[there]
        rewrite(world, here, **{n: getattr(moved, n) for n in ("prev_hash", "hash", "at", "facts")})


def forge_whole(world: World) -> None:
    """Rewrite the chain from its second entry on, every hash made right."""
    from countersign.governance.audit_chain import link

    last = world.audit.entries(SCOPE)[0]
    for entry in world.audit.entries(SCOPE)[1:]:
        last = link(
            scope=SCOPE, last=last, at=entry.at, actor="nobody", action=entry.action, facts={}
        )
        rewrite(
            world,
            last.seq,
            **{n: getattr(last, n) for n in ("prev_hash", "hash", "actor", "facts")},
        )


def test_a_chain_that_nobody_touched_verifies(world: World) -> None:
    sealed = written(world)
    report = world.audit.verify(SCOPE, sealed)
    assert (report.valid, report.entries, report.sealed_to) == (True, 5, 4)
    assert report.head == world.audit.head(SCOPE).hash


@pytest.mark.parametrize(
    ("attack", "problem", "at_seq"),
    [
        (lambda w: rewrite(w, 3, facts=json.dumps({"number": 99})), "edited", 3),
        (lambda w: rewrite(w, 1, actor="nobody"), "edited", 1),
        (lambda w: drop(w, 2), "dropped", 2),
        (lambda w: drop(w, 1), "dropped", 1),
        (lambda w: swap(w, 2, 4), "edited", 2),
        (lambda w: (drop(w, 5), drop(w, 4)), "truncated", 4),
        (forge_whole, "rewritten", 4),
    ],
    ids=["edit", "edit-first", "drop", "drop-first", "reorder", "truncate", "forge-whole"],
)
def test_an_attack_is_found_where_it_was_made(
    world: World, attack: Callable[[World], Any], problem: str, at_seq: int
) -> None:
    sealed = written(world)
    attack(world)
    report = world.audit.verify(SCOPE, sealed)
    assert (report.valid, report.problem, report.at_seq) == (False, problem, at_seq)


def test_entries_told_in_another_order_are_found(world: World) -> None:
    """Even when each entry's own hash was made right for its new place."""
    from countersign.governance.audit_chain import Entry, link_hash

    written(world)
    entries = {e.seq: e for e in world.audit.entries(SCOPE)}
    for here, there in ((2, 3), (3, 2)):
        fields = {
            **{n: getattr(entries[there], n) for n in Entry.__dataclass_fields__},
            "seq": here,
        }
        del fields["hash"]
        names = ("prev_hash", "at", "facts")
        rewrite(world, here, hash=link_hash(fields), **{n: fields[n] for n in names})
    report = world.audit.verify(SCOPE)
    assert (report.problem, report.at_seq) == ("reordered", 2)


def test_a_truncation_shows_only_against_a_sealed_head(world: World) -> None:
    sealed = written(world)
    for seq in (5, 4):
        drop(world, seq)
    assert world.audit.verify(SCOPE).valid is True
    assert world.audit.verify(SCOPE, sealed).valid is False


def test_a_whole_chain_that_vanished_is_missed(world: World) -> None:
    sealed = written(world)
    for seq in range(1, 6):
        drop(world, seq)
    report = world.audit.verify(SCOPE, sealed)
    assert (report.problem, report.at_seq) == ("truncated", 1)
    assert SCOPE in world.audit.scopes()
    assert world.audit.verify(SCOPES).valid is True


def test_writers_that_race_line_up(world: World) -> None:
    """Another writer takes the next number between our read and our write."""
    written(world, 2)
    real, raced = world.dynamodb.transact_write_items, []

    def interfere(**arguments: Any) -> Any:
        if len(raced) < 3:
            raced.append(True)
            world.audit.append(SCOPE, "raced", "eve")
        return real(**arguments)

    world.dynamodb.transact_write_items = interfere
    world.audit.append(SCOPE, "slow", "dana")
    world.dynamodb.transact_write_items = real
    assert [e.seq for e in world.audit.entries(SCOPE)] == [1, 2, 3, 4, 5, 6]
    assert world.audit.verify(SCOPE).valid is True


def test_what_is_done_again_is_told_once(world: World) -> None:
    first = world.audit.append(SCOPE, "promoted", "dana", {"epoch": 4}, once="change-4")
    world.audit.append(SCOPE, "scored", "dana")
    assert world.audit.append(SCOPE, "promoted", "dana", {"epoch": 4}, once="change-4") == first
    assert len(world.audit.entries(SCOPE)) == 2


def test_a_fact_that_is_not_a_number_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="JSON"):
        world.audit.append(SCOPE, "scored", "dana", {"psi": float("nan")})


def seal_bucket(*, locked: bool) -> Any:
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(
        Bucket="seal",
        CreateBucketConfiguration={"LocationConstraint": REGION},
        ObjectLockEnabledForBucket=locked,
    )
    if locked:
        rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
        s3.put_object_lock_configuration(
            Bucket="seal",
            ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule},
        )
    return s3


def test_sealed_heads_are_locked_and_read_back(world: World) -> None:
    s3 = seal_bucket(locked=True)
    sealed = written(world)
    seals = Seals(s3, "seal")
    key, locked = seals.write({SCOPE: sealed[0]}, iso(world.clock.now()))
    assert locked is True
    assert [(h.seq, h.hash) for h in seals.heads(SCOPE)] == [(sealed[0].seq, sealed[0].hash)]
    version = s3.head_object(Bucket="seal", Key=key)["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket="seal", Key=key, VersionId=version)


def test_a_bucket_that_does_not_lock_is_no_seal(world: World) -> None:
    seals = Seals(seal_bucket(locked=False), "seal")
    _, locked = seals.write({SCOPE: Head(seq=1, hash="h")}, iso(world.clock.now()))
    assert locked is False
