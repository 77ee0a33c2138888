"""Random interleavings of everything that the registry can do, with an oracle of their own.

The oracle is a stack of champions, pushed by a promotion and popped by a rollback; a count of the changes of
the pointer; and the sets of what was deleted. Faults come through botocore's own events: a request that never
leaves, an answer that is lost after the write landed, another writer right before ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

from botocore.exceptions import ReadTimeoutError
from countersign.aws.registry import Registry
from countersign.errors import CountersignError
from countersign.governance.pointer import Pointer, referenced
from countersign.governance.versions import Version, parse_version
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from moto import mock_aws

from tests.unit.registry.world import USE_CASE, World, pinned, record

FAULTS = st.sampled_from(["nothing", "nothing", "answer", "request", "race"])
RIVALS = st.sampled_from(["kill switch", "roll back", "register", "same version"])
NUMBERS = st.integers(0, 99)
PEOPLE = {"ml-engineer": "milo", "team-lead": "tess"}
MOST_VERSIONS = 12
Act = Callable[[], object]


class RegistryMachine(RuleBasedStateMachine):
    """One use case, several writers. `registry_class` is what is tested; `operations` counts what writes."""

    registry_class: ClassVar[type[Registry]] = Registry
    operations: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.aws = mock_aws()
        self.aws.start()
        self.world = World(time_scale=0.0)
        world = self.world
        world.registry = self.registry_class(world.dynamodb, world.settings, world.clock)
        self.registry = world.registry
        self.champions: list[str] = []
        self.rollout: tuple[str, str, str, int] | None = None
        self.done: list[tuple[Callable[[], Pointer], Pointer]] = []
        self.deleted: set[str] = set()
        self.checked: set[str] = set()
        self.epoch = self.runs = self.changes = 0

    def teardown(self) -> None:
        self.aws.stop()

    @contextmanager
    def unreliable(self, fault: str, rival: Act) -> Iterator[None]:
        """Once, at the first transaction: what the fault says."""
        fired: list[bool] = []

        def before(**_: Any) -> None:
            if fired or fault not in {"request", "race"}:
                return
            fired.append(True)
            if fault == "request":
                raise ReadTimeoutError(endpoint_url="dynamodb")
            self.world.later()
            rival()
            self.world.later()

        def after(**_: Any) -> None:
            if not fired and fault == "answer":
                fired.append(True)
                raise ReadTimeoutError(endpoint_url="dynamodb")

        events = self.world.dynamodb.meta.events
        hooks = {"before-call.dynamodb.TransactWriteItems": before}
        hooks["after-call.dynamodb.TransactWriteItems"] = after
        for name, hook in hooks.items():
            events.register(name, hook)
        try:
            yield
        finally:
            for name, hook in hooks.items():
                events.unregister(name, hook)
            self.world.later()

    def move(self, change: Callable[[], Pointer], fault: str, rival: Act) -> bool:
        """Make a change of the pointer, perhaps faulty; whether it was made."""
        RegistryMachine.operations += 1
        pointer: Pointer | None = None
        with (
            self.unreliable(fault, rival),
            suppress(CountersignError, ReadTimeoutError),
        ):
            pointer = change()
        if pointer is None:
            return False
        self.epoch += 1
        assert pointer["epoch"] == self.epoch, "a change was made upon an epoch that had passed"
        self.done.append((change, pointer))
        return True

    def insist(self, act: Act, fault: str, rival: Act) -> bool:
        """Do what may be repeated, and repeat it once when its answer was lost; whether it was done."""
        RegistryMachine.operations += 1
        try:
            with self.unreliable(fault, rival):
                act()
        except ReadTimeoutError:
            RegistryMachine.operations += 1
            with suppress(CountersignError):
                act()
                return True
            return False
        except CountersignError:
            return False
        return True

    def rival(self, kind: str, version: str) -> Act:
        """What another writer does at the same moment."""
        return {
            "kill switch": lambda: self.kill_switch("nothing", "register", 1),
            "roll back": lambda: self.roll_back(False, "nothing", "register"),
            "register": lambda: self.register(True, "nothing", "register"),
            "same version": lambda: self.meddle(version),
        }[kind]

    def meddle(self, version: str) -> None:
        """Another writer deletes the very version, or shadows it when it cannot be deleted."""
        if not version or self.remove(version, "nothing", "register"):
            return
        self.shadow_version(version, "nothing", "register")

    def next_change(self) -> str:
        self.changes += 1
        return f"change-{self.changes}"

    def pick(self, number: int) -> Version:
        every = self.registry.versions(USE_CASE)
        return every[number % len(every)]

    @initialize()
    def one_serves_and_one_was_withdrawn(self) -> None:
        for _ in range(6):
            self.register(True, "nothing", "register")
        self.promote_whole(4, ["nothing"] * 3, "register")
        self.retire(0, "nothing", "register", delete=False)

    @rule(gates=st.booleans(), fault=FAULTS, rival=RIVALS)
    def register(self, gates: bool, fault: str, rival: str) -> None:
        """A run becomes a version once, whoever registers at the same moment and whatever is lost."""
        if self.runs >= MOST_VERSIONS:
            return
        self.runs += 1
        made = record(f"run-{self.runs}", gates_passed=gates)
        other = self.rival("register" if rival == "same version" else rival, "")
        if not self.insist(lambda: self.registry.put_version(made), fault, other):
            return
        version = self.registry.version_of_run(USE_CASE, made.run_id)
        assert version is not None
        self.insist(
            lambda: self.registry.stage_version(USE_CASE, version.version), "nothing", other
        )
        assert self.registry.put_version(made).version == version.version

    def promote_whole(self, number: int, faults: list[str], rival: str) -> None:
        """From request to Production, as far as the faults let it come."""
        version = self.pick(number)
        RegistryMachine.operations += 1 + len(PEOPLE)  # a request and its signatures
        name = f"a-{version.version}-{self.next_change()}"
        opened = self.world.open_promotion(version, name=name)
        for role, person in PEOPLE.items():
            with suppress(CountersignError):
                self.world.decide(opened, role, person)
        rollout = f"r-{self.next_change()}"
        self.step((version.version, rollout, name, 1), faults[0], rival)
        if self.rollout and self.rollout[1] == rollout:
            self.advance(1, faults[1], rival)
            self.complete(False, faults[2], rival)

    @rule(number=NUMBERS, faults=st.lists(FAULTS, min_size=3, max_size=3), rival=RIVALS)
    def promote(self, number: int, faults: list[str], rival: str) -> None:
        self.promote_whole(number, faults, rival)

    @precondition(lambda self: self.rollout is not None)
    @rule(skip=st.sampled_from([1, 1, 1, 0, 2]), fault=FAULTS, rival=RIVALS)
    def advance(self, skip: int, fault: str, rival: str) -> None:
        if self.rollout is not None:
            version, rollout, approval, step = self.rollout
            self.step((version, rollout, approval, step + skip), fault, rival)

    def step(self, plan: tuple[str, str, str, int], fault: str, rival: str) -> None:
        version, rollout, approval, step = plan
        candidate = pinned(self.registry.version(USE_CASE, version))
        champion = self.world.champion()

        def change() -> Pointer:
            return self.registry.serve_cohorts(
                USE_CASE, candidate, rollout_id=rollout, cohorts=["ES", "DE", "FR"][:step],
                step=step, approval_id=approval, champion=champion, actor="machine",
            )  # fmt: skip

        already = self.registry.change_made(USE_CASE, f"rollout#{rollout}#{step}")
        if already:
            assert change() == already
        elif self.move(change, fault, self.rival(rival, version)):
            self.rollout = plan

    @precondition(lambda self: self.rollout is not None)
    @rule(stale=st.booleans(), fault=FAULTS, rival=RIVALS)
    def complete(self, stale: bool, fault: str, rival: str) -> None:
        if self.rollout is None:
            return
        version, rollout, approval, _ = self.rollout
        candidate = pinned(self.registry.version(USE_CASE, version))
        champion = "9.9.9" if stale else self.world.champion()

        def change() -> Pointer:
            return self.registry.promote(
                USE_CASE, candidate, rollout_id=rollout, approval_id=approval,
                champion=champion, actor="machine",
            )  # fmt: skip

        if self.move(change, fault, self.rival(rival, version)):
            assert not stale
            self.champions = [*(v for v in self.champions if v != version), version]
            self.rollout = None

    @rule(stale=st.booleans(), fault=FAULTS, rival=RIVALS)
    def roll_back(self, stale: bool, fault: str, rival: str) -> None:
        name, epoch = self.next_change(), self.epoch - int(stale)

        def change() -> Pointer:
            return self.registry.roll_back(
                USE_CASE, actor="olga", reason="", change_id=name, expected_epoch=epoch
            )

        if self.move(change, fault, self.rival(rival, self.world.champion())):
            assert not stale
            if self.rollout:
                gone = self.rollout[0]
                champion = self.champions[-1:]
                self.champions = [v for v in self.champions[:-1] if v != gone] + champion
                self.rollout = None
            else:
                gone = self.champions.pop()
                self.champions = [v for v in self.champions if v != gone]

    @rule(fault=FAULTS, rival=RIVALS, number=NUMBERS)
    def kill_switch(self, fault: str, rival: str, number: int) -> None:
        name = self.next_change()

        def change() -> Pointer:
            return self.registry.kill_switch(
                USE_CASE, rules_only=bool(number % 2), actor="eve", reason="", change_id=name
            )

        self.move(change, fault, self.rival(rival, ""))

    @rule(number=NUMBERS, fault=FAULTS, rival=RIVALS)
    def shadow(self, number: int, fault: str, rival: str) -> None:
        self.shadow_version(self.pick(number).version, fault, rival)

    def shadow_version(self, version: str, fault: str, rival: str) -> None:
        candidate, name = pinned(self.registry.version(USE_CASE, version)), self.next_change()

        def change() -> Pointer:
            return self.registry.start_shadow(USE_CASE, candidate, actor="dana", change_id=name)

        self.move(change, fault, self.rival(rival, version))

    @rule(number=NUMBERS, fault=FAULTS)
    def stop_shadow(self, number: int, fault: str) -> None:
        version, name = self.pick(number).version, self.next_change()

        def change() -> Pointer:
            return self.registry.stop_shadow(USE_CASE, version, actor="dana", change_id=name)

        self.move(change, fault, self.rival("register", ""))

    @rule(number=NUMBERS, fault=FAULTS, rival=RIVALS, delete=st.booleans())
    def retire(self, number: int, fault: str, rival: str, delete: bool) -> None:
        """Withdraw a version, and delete it."""
        version = self.pick(number).version
        self.insist(
            lambda: self.registry.archive_version(USE_CASE, version, actor="milo", reason="old"),
            "nothing" if delete else fault,
            self.rival(rival, version),
        )
        if delete:
            self.remove(version, fault, rival)

    def remove(self, version: str, fault: str, rival: str) -> bool:
        def act() -> object:
            return self.registry.delete_version(USE_CASE, version, actor="tess", reason="old")

        other = self.rival(rival, version)
        if rival == "same version":
            other = lambda: self.shadow_version(version, "nothing", "register")  # noqa: E731
        removed = self.insist(act, fault, other)
        if removed:
            self.deleted.add(version)
        return removed

    @precondition(lambda self: bool(self.done))
    @rule(number=NUMBERS)
    def replay(self, number: int) -> None:
        """A zombie does again what was done: it gets its own result, and nothing moves."""
        RegistryMachine.operations += 1
        change, result = self.done[number % len(self.done)]
        before = self.registry.pointer(USE_CASE)
        assert change() == result
        assert self.registry.pointer(USE_CASE) == before

    @invariant()
    def one_champion_and_the_oracle_agrees(self) -> None:
        """Invariant 1."""
        pointer = self.registry.pointer(USE_CASE)
        expected = self.champions[-1] if self.champions else None
        assert (pointer["champion"] or {}).get("version") == expected  # type: ignore[call-overload]
        assert [p["version"] for p in pointer["previous"]] == self.champions[-2::-1]
        versions = self.registry.versions(USE_CASE)
        production = [v.version for v in versions if v.stage == "Production"]
        assert production == ([expected] if expected else [])
        assert pointer["epoch"] == self.epoch
        rows = self.registry.ledger(USE_CASE)
        assert [row["epoch"] for row in rows] == list(range(1, self.epoch + 1))
        if rows:
            assert rows[-1]["champion"] == pointer["champion"]
            assert rows[-1]["rollout"] == pointer["rollout"]
        self.numbers_are_given_once(versions)
        self.what_is_named_or_needed_stands(pointer, versions)

    def numbers_are_given_once(self, versions: list[Version]) -> None:
        assert len({v.run_id for v in versions}) == len(versions)

    def what_is_named_or_needed_stands(self, pointer: Pointer, versions: list[Version]) -> None:
        """Invariants 3 and 4: whatever is named is not deleted, and two earlier ones are loadable."""
        gone = {v.version for v in versions if v.deleted_at}
        assert gone == self.deleted
        named = referenced(pointer)
        assert not named & gone, "what is named was deleted"
        assert not named & set(pointer["quarantined"])
        if self.champions:
            newest = parse_version(self.champions[-1])
            earlier = [v for v in versions if parse_version(v.version) < newest]
            standing = [v for v in earlier if not v.deleted_at]
            assert len(standing) >= min(2, len(earlier)), "too few earlier versions are loadable"

    @invariant()
    def what_serves_was_signed_by_others_and_passed_its_gates(self) -> None:
        """Invariant 2."""
        pointer = self.registry.pointer(USE_CASE)
        serving = {d["version"] for d in (pointer["champion"], pointer["rollout"]) if d}
        approvals = self.registry.approvals("APPROVED") if serving - self.checked else []
        for name in serving - self.checked:
            assert self.registry.version(USE_CASE, name).record.gates_passed
            approved = [a for a in approvals if a.subject["version"] == name]
            assert approved
            for approval in approved:
                assert {d.role for d in approval.decisions} == set(PEOPLE)
                assert not {d.person for d in approval.decisions} & {"olga", "dana"}
                assert {d.evidence_digest for d in approval.decisions} == {approval.evidence_digest}
        self.checked = serving
