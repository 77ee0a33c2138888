"""What lies beside a version and the run that made it."""

from __future__ import annotations

from countersign.aws.stores import Stores
from countersign.governance.versions import VersionRecord


def names(stores: Stores, record: VersionRecord) -> set[str]:
    """The names of its files, in the version's folder and in its run's."""
    folders = (f"{record.use_case}/{record.version}/", f"{record.use_case}/runs/{record.run_id}/")
    return {key.removeprefix(f) for f in folders for key in stores.artifacts.keys(f)}
