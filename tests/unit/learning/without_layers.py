"""Run the work of one learning step in a process that lacks the packages of other layers.

`python -m tests.unit.learning.without_layers <step> <folder> <absent package>…`; the folder holds the
objects that the step reads.
"""

from __future__ import annotations

import json
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

FOLDER = "small/runs/run-1"


def prepare(stores: Any, folder: Path, step: str) -> None:
    """Write what `step` reads as files below `folder`."""
    from countersign.steps import export_model, train

    from tests.unit.learning.world import RUN, freeze

    freeze(stores)
    if step != "train":
        train.run(train.Request(**RUN), stores)
    if step == "evaluate":
        export_model.run(export_model.Request(**RUN), stores)
    for store in (stores.lake, stores.artifacts):
        for key in store.keys(""):
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(store.get(key))


def work(step: str, folder: Path) -> None:
    """What the step computes, without AWS."""
    from countersign.learning.dataset import SPLITS, Dataset

    def get(key: str) -> bytes:
        return (folder / key).read_bytes()

    if step == "export_model":
        from countersign.learning import export

        export.to_onnx(get(f"{FOLDER}/native.npz"))
        return
    dataset = Dataset.open(get, "d1", key="payslip_id")
    if step == "train":
        from countersign.learning.training import train

        from tests.unit.learning.declared import SMALL

        train(SMALL, {name: dataset.split(name) for name in SPLITS})
        return
    from countersign.aws.artifacts import Verified
    from countersign.learning.evaluation import judge
    from countersign.serving.session import FILES, ModelSession

    from tests.unit.learning.declared import SMALL

    manifest = json.loads(get(f"{FOLDER}/manifest.json"))
    artifact = Verified("d" * 64, manifest, {name: get(f"{FOLDER}/{name}") for name in FILES})
    session = ModelSession.load(artifact)
    judge(
        SMALL,
        session,
        manifest,
        valid=dataset.split("valid"),
        test=dataset.split("test"),
        created_at="2026-11-21T06:00:00.000000Z",
    )


class Absent(MetaPathFinder):
    """Packages that cannot be found."""

    def find_spec(self, fullname: str, *_: Any) -> None:
        if fullname.partition(".")[0] in sys.argv[3:]:
            raise ModuleNotFoundError(fullname)


if __name__ == "__main__":
    sys.meta_path.insert(0, Absent())
    work(sys.argv[1], Path(sys.argv[2]))
    sys.stdout.write(json.dumps({"ok": True}))
