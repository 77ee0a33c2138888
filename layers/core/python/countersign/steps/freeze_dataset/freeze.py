"""Gate, join, split, audit, write: the dataset as known at its as-of time, and what approvers are shown."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.clock import parse_iso
from countersign.declare import UseCase
from countersign.errors import DataError
from countersign.features import dataset, duck, freezing
from countersign.features.parts import history_prefix, source_prefix
from countersign.steps.freeze_dataset import comparison, inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """`dataset_digest` is the SHA-256 of the manifest's bytes."""

    dataset_id: str
    dataset_digest: str
    rows: int
    train_rows: int
    valid_rows: int
    test_rows: int
    positives: int


def freeze(stores: Stores, name: str, moment: str) -> Frozen:
    """The dataset of use case `name` as known at `moment`, held against the champion's.

    The manifest depends on the facts alone. How they differ from what the champion learned depends on
    who is champion, so that lies beside the dataset's page and is written by every call.
    """
    use_case, as_of = use_cases.get(name), parse_iso(moment)
    if as_of > stores.clock.now():
        raise DataError("An as-of time in the future would promise what is not known yet")
    with tempfile.TemporaryDirectory() as scratch, duck.connect(Path(scratch)) as connection:
        place = Path(scratch)
        histories, files = _load(connection, stores, use_case, place)
        manifest = freezing.freeze_files(
            connection,
            use_case,
            histories,
            as_of=as_of,
            place=place,
            environment=stores.settings.environment,
        )
        # Beside the facts, not among them: equal facts are one dataset, however they were delivered.
        manifest["inputs"] = inputs.read_by(connection, files, as_of)
        frozen = _keep(stores, manifest, place)
        comparison.keep(stores, use_case, connection, place, manifest, frozen.dataset_digest)
        return frozen


def load_sources(
    connection: Any, stores: Stores, use_case: UseCase, place: Path
) -> dict[str, dict[str, Path]]:
    """Make every source of the use case readable in the session; by source and key its local copies."""
    found = {}
    for source in use_case.sources():
        keys = stores.lake.keys(source_prefix(source.name))
        files = stores.lake.download(keys, place / "sources" / source.name)
        duck.register_source(connection, source, files)
        found[source.name] = dict(zip(keys, files, strict=True))
    return found


def _load(
    connection: Any, stores: Stores, use_case: UseCase, place: Path
) -> tuple[dict[str, str], dict[str, dict[str, Path]]]:
    """Register the sources; the relation of each view's history by name, and the sources' files."""
    sources = load_sources(connection, stores, use_case, place)
    histories = {}
    for view in use_case.views:
        keys = stores.lake.keys(history_prefix(view.name))
        files = stores.lake.download(keys, place / "offline" / view.name)
        if files:
            histories[view.name] = duck.parquet(files)
    return histories, sources


def _keep(stores: Stores, manifest: dict[str, Any], place: Path) -> Frozen:
    """Write the files, the manifest last: a dataset with a manifest is whole."""
    name = manifest["dataset_id"]
    key = f"datasets/{name}/manifest.json"
    if not stores.lake.exists(key):
        for file in manifest["files"]:
            stores.lake.put_file(f"datasets/{name}/{file}", place / file)
        stores.lake.write_json(key, manifest)
    rows = {split: manifest["files"][f"{split}.parquet"]["rows"] for split in dataset.SPLITS}
    return Frozen(
        dataset_id=name,
        dataset_digest=hashlib.sha256(stores.lake.get(key)).hexdigest(),
        rows=manifest["rows"],
        train_rows=rows["train"],
        valid_rows=rows["valid"],
        test_rows=rows["test"],
        positives=manifest["positives"],
    )
