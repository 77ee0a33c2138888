"""Random interleavings of everything the registry can do never break invariants 1 to 4.

`COUNTERSIGN_SOAK_OPERATIONS` (0 in the normal suite) asks for at least so many operations instead.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pytest
from countersign.aws.registry import Registry
from countersign.errors import CountersignError
from countersign.governance.pointer import Pointer
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.registry.machine import RegistryMachine

EPOCH_OF_ONE_CHAMPION = 3
OPERATIONS = int(os.environ.get("COUNTERSIGN_SOAK_OPERATIONS", "0"))
EXAMPLES, STEPS = 8, 12


def explore(
    machine: type[RegistryMachine], *, examples: int, start: int = 0, steps: int = STEPS
) -> None:
    """Run so many interleavings, always the same ones for the same `start`."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        seed(start)(machine),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            phases=[Phase.generate],
            report_multiple_bugs=False,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_interleaving_breaks_an_invariant() -> None:
    RegistryMachine.operations = 0
    explore(RegistryMachine, examples=EXAMPLES)
    start = 0
    while RegistryMachine.operations < OPERATIONS:
        start += 1
        explore(RegistryMachine, examples=100, start=start, steps=40)
    assert max(OPERATIONS, 100) <= RegistryMachine.operations


class WithoutEpoch(Registry):
    """The pointer moves whatever its epoch is."""

    def update_operation(
        self,
        pk: str,
        sk: str,
        changes: Mapping[str, Any],
        condition: str,
        values: Mapping[str, Any],
    ) -> dict[str, Any]:
        if condition == "#epoch = :seen":
            condition, values = "attribute_exists(pk)", {}
        return super().update_operation(pk, sk, changes, condition, values)


class WithoutMarker(Registry):
    """A change does not know that it was made."""

    def change_made(self, use_case: str, change_id: str) -> Pointer | None:
        return None


@pytest.mark.parametrize("planted", [WithoutEpoch, WithoutMarker])
def test_a_missing_condition_is_found(planted: type[Registry]) -> None:
    class Planted(RegistryMachine):
        registry_class = planted

    with pytest.raises((AssertionError, CountersignError)):
        explore(Planted, examples=30)


class Careless(Registry):
    """What the pointer names may change while a version is being deleted."""

    def pointer_unmoved(self, use_case: str, epoch: int) -> dict[str, Any]:
        return self.check_operation(f"model#{use_case}", "nothing", "attribute_not_exists(pk)", {})


class Forgetful(Registry):
    """A deleted version may serve."""

    def check_operation(
        self, pk: str, sk: str, condition: str, values: Mapping[str, Any]
    ) -> dict[str, Any]:
        open_to_all = condition.replace(" AND attribute_not_exists(#deleted_at)", "")
        return super().check_operation(pk, sk, open_to_all, values)


@pytest.mark.parametrize("planted", [Registry, Careless, Forgetful])
@pytest.mark.parametrize("deletion_first", [True, False])
def test_a_deletion_and_a_shadow_of_one_version_cannot_both_win(
    planted: type[Registry], deletion_first: bool
) -> None:
    """The race itself: one comes right before the other's transaction. Without its condition both win."""

    class Raced(RegistryMachine):
        registry_class = planted

    machine = Raced()
    try:
        machine.one_serves_and_one_was_withdrawn()
        version = machine.pick(0).version
        if deletion_first:
            machine.shadow_version(version, "race", "same version")
        else:
            machine.remove(version, "race", "same version")
        needed = Forgetful if deletion_first else Careless
        both = (version in machine.deleted) and machine.epoch > EPOCH_OF_ONE_CHAMPION
        assert both == (planted is needed)
    finally:
        machine.teardown()
