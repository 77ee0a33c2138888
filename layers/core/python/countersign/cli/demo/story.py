"""The demo's steps, in the order of a model's life."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from countersign.cli.demo import arrival, duty, launch, learning
from countersign.cli.demo.real_data import RealData
from countersign.cli.demo.recorder import Facts
from countersign.cli.demo.world import World

STEPS: tuple[tuple[str, str, Callable[[World], Facts]], ...] = (
    ("up", "start the local cloud", launch.up),
    ("deploy", "deploy every stack with the CDK", launch.deploy),
    ("ingest", "payroll files arrive in S3 and are held against their contracts", arrival.ingest),
    ("features", "features are built, quality-checked and materialized", arrival.features),
    ("train", "a retraining is proposed, approved by another person, and run", learning.train),
    ("gates", "the candidates' metrics are held against the declared gates", learning.gates),
    ("approve", "two people who are not the author sign the promotion", learning.approve),
    ("promote", "staged rollout by country, guard by guard, to Production", learning.promote),
    (
        "score",
        "payslips are scored through the signed API, each logged before it leaves",
        duty.score,
    ),
    ("shadow", "a challenger scores the same vectors after the answer", duty.shadow),
    ("outcome", "payroll operations report what the payslips turned out to be", duty.outcome),
    ("monitor", "the weekly PSI schedule fires", duty.monitor),
    ("drift_alert", "pay jumps in several countries; the monitor says so", duty.drift_alert),
    ("rollback", "the challenger is promoted, and taken back with one call", learning.rollback),
    ("audit_verify", "the audit chain is recomputed from its first entry", learning.audit_verify),
)


def steps(world: World, real: RealData | None = None) -> list[tuple[str, str, Callable[[], Facts]]]:
    """Every step, bound to its world; the first ones also run on real files where there are any."""
    bound = [(name, title, partial(step, world)) for name, title, step in STEPS]
    if real is None:
        return list(bound)
    return [(name, title, real.beside(name, step)) for name, title, step in bound]
