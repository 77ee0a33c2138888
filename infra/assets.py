"""Where a function's code and its layers come from."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import aws_lambda as lambda_

from infra.catalog import FUNCTIONS
from infra.settings import Target
from layers import build, source

ROOT = Path(__file__).resolve().parent.parent
NOT_CODE = ["**/__pycache__", "**/.DS_Store"]


def layer_code(weight: str, target: Target, *, placeholder: bool) -> lambda_.Code:
    """A built layer; it is built now when its inputs changed since.

    A `placeholder` is a few bytes in its place, for templates that are looked at and not deployed.
    """
    if placeholder:
        return lambda_.Code.from_asset(str(ROOT / "events"), exclude=["**"])
    folder = build.ensure(weight, build.target(target))
    return lambda_.Code.from_asset(str(build.archive_of(folder)))


def training_code(*, placeholder: bool) -> str:
    """The archive of a training job's code and packages, built when its inputs changed since."""
    if placeholder:
        return str(ROOT / "events" / "train.json")
    return str(source.ensure())


def check_sizes(target: Target) -> None:
    """Hold every function with its layers to Lambda's limit. Raises BuildError, naming those over."""
    build.sizes(build.target(target), ((row.name, row.layers) for row in FUNCTIONS))


def function_code(name: str) -> lambda_.Code:
    """A function's folder: its handler and nothing else."""
    return lambda_.Code.from_asset(str(ROOT / "functions" / name), exclude=NOT_CODE)
