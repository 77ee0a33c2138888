"""Steps `up` and `deploy`."""

from __future__ import annotations

import os
import subprocess
import sys

from countersign.cli.demo.recorder import DemoError, Facts
from countersign.cli.demo.world import World
from countersign.cli.local_cloud import process


def up(world: World) -> Facts:
    """Start an empty local cloud: one that an earlier demo left, or broke off, is stopped first."""
    if process.running(world.settings):
        local_cloud(world, "down")
    said = local_cloud(world, "up")
    return {"said": said}


def deploy(world: World) -> Facts:
    """Deploy every stack with the real CDK CLI."""
    local_cloud(world, "deploy")
    outputs = world.cloud.outputs
    return {
        "api_url": outputs["api_url"],
        "functions": len(outputs["functions"]),
        "state_machines": len(outputs["state_machines"]),
        "tables": len(outputs["tables"]),
        "schedules": len(outputs["schedules"]),
        "identities": len(outputs["identities"]),
    }


def local_cloud(world: World, verb: str) -> str:
    """Run one verb of the local cloud as a person would; returns the last line it said."""
    settings = world.settings
    place = {
        "COUNTERSIGN_PORT": str(settings.port),
        "COUNTERSIGN_LOCAL_DIR": str(settings.directory),
    }
    command = [sys.executable, "-m", "countersign.cli.local_cloud", verb]
    last = ""
    with subprocess.Popen(
        command,
        env={**os.environ, **place},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            if line.strip():
                last = line.strip()
                world.say(last)
    if process.returncode:
        raise DemoError(f"local cloud, {verb}: {last}")
    return last
