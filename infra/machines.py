"""Every state machine, one row: its definition, and who may start it."""

from __future__ import annotations

from dataclasses import dataclass, field

from infra.names import BucketName
from infra.routes import APPROVERS, PEOPLE, PROPOSERS, STOPPERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """`file` is `statemachines/<file>.asl.json`; `starters` are human roles.

    Functions that start a machine say so in the catalogue, machines by naming another's ARN in
    their definition. `training` has no human starter: an approval starts it, and nothing else.
    `reads`: the bucket and prefix of the items that its Distributed Maps read.
    """

    name: str
    file: str
    starters: frozenset[str] = frozenset()
    tokens: dict[str, str] = field(default_factory=dict)
    reads: tuple[BucketName, str] | None = None


OPERATORS = frozenset({"operator"})

MACHINES: tuple[Machine, ...] = (
    Machine(name="features", file="features", starters=PROPOSERS, reads=("lake", "builds/plans/")),
    Machine(name="training", file="training"),
    Machine(name="approval", file="approval"),
    *(
        Machine(
            name=f"decide-{role}",
            file="decide",
            starters=frozenset({role}),
            tokens={"Role": role},
        )
        for role in sorted(APPROVERS)
    ),
    Machine(name="promotion", file="promotion"),
    Machine(name="rollback", file="rollback", starters=STOPPERS),
    Machine(name="batch-scoring", file="batch_scoring", starters=PROPOSERS),
    Machine(name="monitoring", file="monitoring", starters=PROPOSERS),
)
BY_NAME: dict[str, Machine] = {machine.name: machine for machine in MACHINES}
WATCHERS = PEOPLE
