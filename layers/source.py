"""The code of a SageMaker training job: one `sourcedir.tar.gz`, whole, so that the job needs no network.

    python layers/build.py --target sagemaker

It holds `train.py`, which script mode runs, our package with its `build.json`, and below `lib/` the packages
of the training layer as the lock file has them, for the Python of the training image.
"""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

from layers import build
from layers.archive import EPOCH, files

NAME = "sourcedir.tar.gz"
PROGRAM = '''"""A training job's program: the packages of the lock file before the image's own, then the module."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "lib")]

from countersign.workbench.job import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
'''


def ensure() -> Path:
    """The archive, built if what it is made of changed."""
    to = build.target("sagemaker")
    parts = {weight: build.ensure(weight, to) / "python" for weight in ("core", "training")}
    made = build.ROOT / "build" / "layers" / to.name / NAME
    stamp = made.with_suffix(".digest")
    digest = "\n".join([*(build.inputs_digest(weight, to) for weight in parts), PROGRAM])
    if not (made.exists() and stamp.exists() and stamp.read_text() == digest):
        stamp.unlink(missing_ok=True)
        write(made, parts["core"], parts["training"])
        stamp.write_text(digest)
    return made


def write(path: Path, core: Path, packages: Path) -> None:
    """Byte for byte the same archive for the same content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        path.open("wb") as file,
        gzip.GzipFile("", "wb", 6, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        _add(archive, "train.py", io.BytesIO(PROGRAM.encode()), len(PROGRAM.encode()))
        for name, source in _contents(core, packages):
            with source.open("rb") as content:
                _add(archive, name, content, source.stat().st_size)


def _contents(core: Path, packages: Path) -> Iterator[tuple[str, Path]]:
    for folder, below in ((core, ""), (packages, "lib/")):
        for path in files(folder):
            yield below + path.relative_to(folder).as_posix(), path


def _add(archive: tarfile.TarFile, name: str, content: object, size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o644, EPOCH
    archive.addfile(entry, content)  # type: ignore[arg-type]


def unpack(archive: Path, to: Path) -> Path:
    """The archive's content in a new folder, as script mode would have it."""
    shutil.rmtree(to, ignore_errors=True)
    with tarfile.open(archive) as packed:
        packed.extractall(to, filter="data")
    return to
