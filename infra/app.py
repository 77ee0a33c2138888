"""The four stacks of one environment, and the checks that every synth runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from infra.names import Names
from infra.settings import environment
from infra.stacks.compute import ComputeStack
from infra.stacks.storage import StorageStack
from infra.stacks.watch import WatchStack
from infra.stacks.workflows import WorkflowsStack


def build(context: Mapping[str, Any] | None = None, outdir: str | None = None) -> App:
    """The app for the environment that `-c env=` (or `context`) names."""
    app = App(context=context, outdir=outdir)
    settings = environment(
        app.node.try_get_context("env"), app.node.try_get_context("environments")
    )
    names = Names(settings.name)
    placeholder = str(app.node.try_get_context("placeholder_layers")).lower() == "true"
    prefix = f"Countersign-{settings.name}"
    storage = StorageStack(app, f"{prefix}-storage", environment=settings, names=names)
    compute = ComputeStack(
        app,
        f"{prefix}-compute",
        environment=settings,
        names=names,
        storage=storage,
        placeholder=placeholder,
    )
    workflows = WorkflowsStack(
        app,
        f"{prefix}-workflows",
        environment=settings,
        names=names,
        storage=storage,
        compute=compute,
    )
    WatchStack(
        app,
        f"{prefix}-watch",
        environment=settings,
        names=names,
        storage=storage,
        compute=compute,
        workflows=workflows,
    )
    Tags.of(app).add("project", "countersign")
    Tags.of(app).add("environment", settings.name)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app, verbose=True))
    return app
