"""From a delivered file to the online store."""

from __future__ import annotations

from infra.catalog.row import DATA, Function
from infra.grants import OFFLINE, RECORD, REGISTRY, SOURCES
from infra.permissions import Prefix, Read, Write

FEATURES: tuple[Function, ...] = (
    Function(
        name="ingest",
        purpose="Hold a delivered file against its contract: accept it or quarantine it",
        layers=DATA,
        memory=1769,
        timeout=300,
        storage=2048,
        permissions=(
            Prefix("raw", "raw/", read=True),
            Prefix("raw", "quarantine/", read=True, write=True),
            Prefix("lake", "sources/", read=True, write=True),
            *RECORD,
        ),
    ),
    Function(
        name="build_features",
        purpose="Compute feature views with both clocks, and their quality log",
        layers=DATA,
        memory=3008,
        timeout=900,
        storage=4096,
        permissions=(
            SOURCES,
            Prefix("lake", "offline/", read=True, write=True),
            Prefix("lake", "compacted/", read=True, write=True),
            Prefix("lake", "builds/", read=True, write=True),
            Prefix("lake", "quality/", read=True, write=True),
            *RECORD,
        ),
    ),
    Function(
        name="materialize",
        purpose="Bring the online store up to the offline one; never to older values",
        layers=DATA,
        memory=1769,
        timeout=900,
        storage=2048,
        permissions=(OFFLINE, Read("online"), Write("online"), *REGISTRY),
    ),
)
