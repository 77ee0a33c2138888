"""Random interleavings of everything the registry can do never break invariants 1 to 3.

An oracle of our own follows along: a stack of champions, pushed by a promotion, popped by a rollback.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ReadTimeoutError
from countersign.errors import CountersignError
from countersign.governance.pointer import Pointer, referenced
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from moto import mock_aws

from tests.unit.registry.world import USE_CASE, World, pinned

EXAMPLES = int(os.environ.get("COUNTERSIGN_SOAK_EXAMPLES", "12"))
FAULTS = st.sampled_from(["nothing", "nothing", "answer", "request", "race"])
PEOPLE = {"ml-engineer": "milo", "team-lead": "tess", "data-scientist": "dana", "operator": "olga"}


class RegistryMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.aws = mock_aws()
        self.aws.start()
        self.world = World()
        self.registry = self.world.registry
        self.champions: list[str] = []
        self.rollout: tuple[str, str, str, int] | None = None
        self.done: list[tuple[Callable[[], Pointer], Pointer]] = []
        self.runs = 0
        self.changes = 0

    def teardown(self) -> None:
        self.aws.stop()

    def attempt(self, change: Callable[[], Pointer], *, lose: str) -> bool:
        """Make a change, perhaps with its request or answer lost, or raced; whether it was made."""
        before = self.registry.pointer(USE_CASE)["epoch"]
        real = self.world.dynamodb.transact_write_items

        def unreliable(**arguments: Any) -> Any:
            if lose == "race":
                self.world.dynamodb.transact_write_items = real
                self.world.later()
                self.registry.kill_switch(
                    USE_CASE, rules_only=True, actor="eve", reason="", change_id=self.next_change()
                )
                return real(**arguments)
            if lose == "answer":
                real(**arguments)
            raise ReadTimeoutError(endpoint_url="dynamodb")

        if lose != "nothing":
            self.world.dynamodb.transact_write_items = unreliable
        try:
            pointer = change()
        except (CountersignError, ReadTimeoutError):
            others = self.registry.ledger(USE_CASE)[before:]
            assert {row["triggered_by"] for row in others} <= {"eve"}
            return False
        finally:
            self.world.dynamodb.transact_write_items = real
            self.world.later()
        self.done.append((change, pointer))
        assert pointer["epoch"] == before + 1, "a raced change was made on a stale epoch"
        return True

    def versions(self) -> list[str]:
        return [v.version for v in self.registry.versions(USE_CASE)]

    def pick(self, number: int) -> str:
        every = self.versions()
        return every[number % len(every)]

    def next_change(self) -> str:
        self.changes += 1
        return f"change-{self.changes}"

    @initialize()
    def two_versions_one_serves(self) -> None:
        self.register(True)
        self.register(True)
        self.promote_whole(0, ["nothing"] * 3)

    def register(self, gates: bool) -> None:
        if self.runs < 6:
            self.runs += 1
            self.world.register(f"run-{self.runs}", gates_passed=gates)

    @rule(
        number=st.integers(0, 9),
        roles=st.lists(st.sampled_from(sorted(PEOPLE)), min_size=1, max_size=3),
        verdict=st.sampled_from(["approve", "approve", "approve", "reject"]),
    )
    def sign(self, number: int, roles: list[str], verdict: str) -> None:
        pending = self.registry.approvals("PENDING")
        for role in roles:
            if pending:
                opened = pending[number % len(pending)]
                try:
                    self.world.decide(opened, role, PEOPLE[role], verdict=verdict)
                except CountersignError:
                    continue

    def promote_whole(self, number: int, faults: list[str]) -> None:
        """From request to Production, as far as the faults let it come."""
        version = self.registry.version(USE_CASE, self.pick(number))
        champion = self.world.champion()
        name = f"a-{version.version}-{champion}"
        opened = self.world.open_promotion(version, name=name)
        for role in ("ml-engineer", "team-lead"):
            try:
                self.world.decide(opened, role, PEOPLE[role])
            except CountersignError:
                continue
        rollout = f"r-{self.next_change()}"
        self.step(version.version, rollout, name, champion, 1, faults[0])
        if self.rollout and self.rollout[1] == rollout:
            self.advance(1, faults[1])
            self.complete(stale=False, lose=faults[2])

    @precondition(lambda self: self.rollout is not None)
    @rule(
        skip=st.sampled_from([1, 1, 1, 0, 2]),
        lose=FAULTS,
    )
    def advance(self, skip: int, lose: str) -> None:
        assert self.rollout is not None
        version, rollout, approval, step = self.rollout
        self.step(version, rollout, approval, self.world.champion(), step + skip, lose)

    def step(
        self, version: str, rollout: str, approval: str, champion: str, step: int, lose: str
    ) -> None:
        candidate = pinned(self.registry.version(USE_CASE, version))

        def change() -> Pointer:
            return self.registry.serve_cohorts(
                USE_CASE, candidate, rollout_id=rollout, cohorts=["ES", "DE"][:step], step=step,
                approval_id=approval, champion=champion, actor="machine",
            )  # fmt: skip

        already = self.registry.change_made(USE_CASE, f"rollout#{rollout}#{step}")
        if already:
            assert change() == already
        elif self.attempt(change, lose=lose):
            self.rollout = (version, rollout, approval, step)

    @precondition(lambda self: self.rollout is not None)
    @rule(stale=st.booleans(), lose=FAULTS)
    def complete(self, stale: bool, lose: str) -> None:
        assert self.rollout is not None
        version, rollout, approval, _ = self.rollout
        candidate = pinned(self.registry.version(USE_CASE, version))
        champion = "9.9.9" if stale else self.world.champion()

        def change() -> Pointer:
            return self.registry.promote(
                USE_CASE, candidate, rollout_id=rollout, approval_id=approval,
                champion=champion, actor="machine",
            )  # fmt: skip

        if self.attempt(change, lose=lose):
            assert not stale
            self.champions = [*(v for v in self.champions if v != version), version]
            self.rollout = None

    @rule(stale=st.booleans(), lose=FAULTS)
    def roll_back(self, stale: bool, lose: str) -> None:
        name = self.next_change()
        epoch = self.registry.pointer(USE_CASE)["epoch"] - int(stale)

        def change() -> Pointer:
            return self.registry.roll_back(
                USE_CASE, actor="olga", reason="", change_id=name, expected_epoch=epoch
            )

        if self.attempt(change, lose=lose):
            assert not stale
            if self.rollout:
                gone = self.rollout[0]
                self.champions = [
                    v for v in self.champions if v != gone or v == self.world.champion()
                ]
                self.rollout = None
            else:
                gone = self.champions.pop()
                self.champions = [v for v in self.champions if v != gone]

    def shadow(self, number: int, lose: str) -> None:
        candidate = pinned(self.registry.version(USE_CASE, self.pick(number)))
        name = self.next_change()
        self.attempt(
            lambda: self.registry.start_shadow(USE_CASE, candidate, actor="dana", change_id=name),
            lose=lose,
        )

    @rule(
        acts=st.lists(
            st.sampled_from(["promote", "promote", "roll back", "shadow", "register", "replay"]),
            min_size=3, max_size=6,
        ),
        faults=st.lists(FAULTS, min_size=6, max_size=6),
        number=st.integers(0, 99),
    )  # fmt: skip
    def busy_day(self, acts: list[str], faults: list[str], number: int) -> None:
        """Several things in a row, with the invariants held after each."""
        for place, act in enumerate(acts):
            if act == "promote":
                self.promote_whole(number + place, [*faults[place:], *faults[:place]][:3])
            elif act == "roll back":
                self.roll_back(stale=False, lose=faults[place])
            elif act == "shadow":
                self.shadow(number + place, faults[place])
            elif act == "register":
                self.register(gates=True)
            elif self.done:
                self.replay(number)
            self.one_champion_and_the_oracle_agrees()

    def replay(self, number: int) -> None:
        """A zombie does again what was done: it gets its own result, and nothing moves."""
        change, result = self.done[number % len(self.done)]
        before = self.registry.pointer(USE_CASE)
        assert change() == result
        assert self.registry.pointer(USE_CASE) == before

    @invariant()
    def one_champion_and_the_oracle_agrees(self) -> None:
        pointer = self.registry.pointer(USE_CASE)
        expected = self.champions[-1] if self.champions else None
        assert (pointer["champion"] or {}).get("version") == expected
        production = [v for v in self.registry.versions(USE_CASE) if v.stage == "Production"]
        assert [v.version for v in production] == ([expected] if expected else [])
        assert [p["version"] for p in pointer["previous"]] == self.champions[-2::-1]

    @invariant()
    def every_change_has_its_epoch_and_its_row(self) -> None:
        rows = self.registry.ledger(USE_CASE)
        epoch = self.registry.pointer(USE_CASE)["epoch"]
        assert [row["epoch"] for row in rows] == list(range(1, epoch + 1))

    @invariant()
    def what_serves_was_signed_by_others_and_passed_its_gates(self) -> None:
        pointer = self.registry.pointer(USE_CASE)
        serving = {d["version"] for d in (pointer["champion"], pointer["rollout"]) if d}
        for name in serving:
            record = self.registry.version(USE_CASE, name).record
            approved = [
                a for a in self.registry.approvals("APPROVED") if a.subject["version"] == name
            ]
            assert record.gates_passed
            assert approved
            for approval in approved:
                assert {d.role for d in approval.decisions} == {"ml-engineer", "team-lead"}
                assert not {d.person for d in approval.decisions} & {"olga", "dana"}
                assert {d.evidence_digest for d in approval.decisions} == {approval.evidence_digest}

    @invariant()
    def what_was_put_away_serves_nobody_and_what_is_named_stays(self) -> None:
        pointer = self.registry.pointer(USE_CASE)
        assert not referenced(pointer) & set(pointer["quarantined"])
        for name in referenced(pointer):
            try:
                self.registry.refuse_deletion(USE_CASE, name, referenced(pointer))
            except CountersignError:
                continue
            raise AssertionError(f"{name} could be deleted")


TestRegistry = RegistryMachine.TestCase
TestRegistry.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=8,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    deadline=None,
    derandomize=EXAMPLES == 12,
    suppress_health_check=list(HealthCheck),
)
