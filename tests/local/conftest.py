"""A deployed cloud for the session: one that runs already, or one of the session's own.

COUNTERSIGN_OUTPUTS=build/local/outputs.json reuses the deployment it describes, local or on AWS.
Without it the session starts an emulator on a free port, deploys once and stops it at the end.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from countersign.cli.local_cloud import process
from countersign.cli.local_cloud.__main__ import deploy_into
from countersign.cli.local_cloud.client import Cloud
from countersign.cli.local_cloud.settings import REGION, CloudSettings, checkout

from tests.local.life import life

__all__ = ["life"]
HERE = Path(__file__).parent
CLOUDS = checkout() / "build" / "test-cloud"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is `local`, and one worker runs it: one session, one deployment."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.local)
            item.add_marker(pytest.mark.xdist_group("local-cloud"))


@pytest.fixture(autouse=True)
def _only_what_the_emulator_does(request: pytest.FixtureRequest) -> None:
    """`needs_real("capability")`: the emulator accepts it and does nothing, so passing means nothing."""
    marker = request.node.get_closest_marker("needs_real")
    if marker and "endpoint" in request.getfixturevalue("cloud").outputs:
        pytest.skip(f"needs real AWS: the emulator fakes {marker.args[0]}")


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """The whole system, deployed."""
    given = os.environ.get("COUNTERSIGN_OUTPUTS")
    if given:
        yield _running_already(Path(given))
        return
    with _own_cloud("deployed") as settings:
        deploy_into(settings)
        yield Cloud.from_file(settings.outputs)


@pytest.fixture(scope="session")
def bare_cloud() -> Iterator[Cloud]:
    """An emulator with nothing deployed in it."""
    with _own_cloud("bare") as settings:
        yield Cloud(
            {
                "endpoint": settings.endpoint,
                "region": REGION,
                "ca_bundle": str(settings.ca_bundle),
                "port": settings.port,
            }
        )


def _running_already(outputs: Path) -> Cloud:
    cloud = Cloud.from_file(outputs)
    described: Any = cloud.outputs
    if "endpoint" in described and not process.health(
        described["endpoint"], Path(described["ca_bundle"])
    ):
        raise pytest.UsageError(f"COUNTERSIGN_OUTPUTS={outputs} describes a cloud that is down")
    return cloud


@contextlib.contextmanager
def _own_cloud(name: str) -> Iterator[CloudSettings]:
    """An emulator on a free port; its folder stays behind only when the block failed."""
    _sweep()
    directory = CLOUDS / f"{os.getpid()}-{name}"
    settings = CloudSettings(port=process.free_port(), directory=directory)
    process.start(settings)
    try:
        yield settings
    finally:
        process.stop(settings)
    shutil.rmtree(directory, ignore_errors=True)


def _sweep() -> None:
    """Stop what a killed session left running."""
    for left in CLOUDS.glob("*-*"):
        session = left.name.partition("-")[0]
        if session.isdigit() and not process.alive(int(session)):
            process.stop(CloudSettings(directory=left))
            shutil.rmtree(left, ignore_errors=True)
