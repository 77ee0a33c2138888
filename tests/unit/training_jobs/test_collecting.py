"""A job's archive is collected when it is this run's, whole and unchanged; else nothing of it is kept."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from typing import Any

import pytest
from countersign.aws.stores import Stores
from countersign.errors import ArtifactError, CountersignError, SyntheticDataError
from countersign.learning import bundle
from countersign.steps import export_model, train

from tests.unit.learning.world import FOLDER, RUN, freeze

KEY = f"{FOLDER}/sagemaker/job-1/output/model.tar.gz"
Files = dict[str, bytes]
MADE: Files = {}  # the same every time: a run of the same dataset, at the same fixed moment


def packed(files: Files, change: Callable[[tarfile.TarInfo], None] | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            if change:
                change(entry)
            archive.addfile(entry, io.BytesIO(content) if entry.isreg() else None)
    return buffer.getvalue()


def job(stores: Stores) -> Files:
    """The files that a job would pack, and no run in its place."""
    freeze(stores)
    if MADE:
        return dict(MADE)
    train.run(train.Request(**RUN), stores)
    keys = stores.artifacts.keys(f"{FOLDER}/")
    files = {key.rpartition("/")[2]: stores.artifacts.get(key) for key in keys}
    for key in keys:
        stores.artifacts.delete(key)
    MADE.update(files)
    return files


def collect(stores: Stores, content: bytes, **changes: str) -> train.Result:
    stores.artifacts.put(KEY, content)
    asked = {**RUN, "action": "collect", "artifacts": f"s3://models/{KEY}", **changes}
    return train.run(train.Request(**asked), stores)


def test_a_collected_run_is_the_trained_one_and_goes_on_to_export(stores: Stores) -> None:
    files = job(stores)
    result = collect(stores, packed(files))
    record = json.loads(files["training.json"])
    assert result.threshold == record["serving"]["threshold"]
    for name in record["files"]:
        assert stores.artifacts.get(f"{FOLDER}/{name}") == files[name]
    assert stores.artifacts.read_json(f"{FOLDER}/training.json") == record
    assert export_model.run(export_model.Request(**RUN), stores).golden_rows >= 1_000


def test_collecting_twice_is_collecting_once(stores: Stores) -> None:
    content = packed(job(stores))
    first = collect(stores, content)
    assert collect(stores, b"gone") == first


def otherwise(files: Files, **changes: Any) -> Files:
    record = {**json.loads(files["training.json"]), **changes}
    return {**files, "training.json": json.dumps(record).encode()}


SPOILT: dict[str, Callable[[Files], bytes]] = {
    "a changed file": lambda f: packed({**f, "native.npz": b"another"}),
    "a file too many": lambda f: packed({**f, "extra.py": b"import os"}),
    "a file too few": lambda f: packed({n: c for n, c in f.items() if n != "golden.npz"}),
    "no record": lambda f: packed({n: c for n, c in f.items() if n != "training.json"}),
    "a broken record": lambda f: packed({**f, "training.json": b"{"}),
    "another run": lambda f: packed(otherwise(f, run_id="run-2")),
    "another use case": lambda f: packed(otherwise(f, use_case="fraud")),
    "another dataset": lambda f: packed(otherwise(f, dataset_digest="0" * 64)),
    "a way out of the folder": lambda f: packed({**f, "../model.onnx": b"x"}),
    "an absolute path": lambda f: packed({**f, "/etc/passwd": b"x"}),
    "a folder": lambda f: packed({**f, "code/x.py": b"x"}),
    "links": lambda f: packed(f, lambda e: setattr(e, "type", tarfile.SYMTYPE)),
    "devices": lambda f: packed(f, lambda e: setattr(e, "type", tarfile.CHRTYPE)),
    "half of it": lambda f: packed(f)[: len(packed(f)) // 2],
    "something else": lambda f: b"PK\x03\x04",
    "nothing": lambda f: b"",
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_what_is_not_this_run_whole_and_unchanged_is_refused(
    stores: Stores, spoil: Callable[[Files], bytes]
) -> None:
    files = job(stores)
    with pytest.raises(ArtifactError):
        collect(stores, spoil(files))
    assert stores.artifacts.keys(f"{FOLDER}/") == [KEY]


def test_an_archive_from_elsewhere_is_not_even_read(stores: Stores) -> None:
    files = job(stores)
    for address in ("s3://models/other/model.tar.gz", f"s3://lake/{KEY}", ""):
        with pytest.raises(ArtifactError, match="in its own folder only"):
            collect(stores, packed(files), artifacts=address)


def test_synthetic_data_does_not_come_in_by_a_job(stores: Stores) -> None:
    files = job(stores)
    freeze(stores, synthetic=True)
    with pytest.raises(SyntheticDataError):
        collect(stores, packed(files))


def test_a_file_named_twice_and_a_bomb_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("native.npz"), io.BytesIO())
    with pytest.raises(CountersignError, match=r"native\.npz"):
        bundle.unpack(buffer.getvalue())
    monkeypatch.setattr(bundle, "MOST_BYTES", 1_000)
    with pytest.raises(ArtifactError, match="larger than any run"):
        bundle.unpack(packed({"native.npz": b"0" * 1_001}))
