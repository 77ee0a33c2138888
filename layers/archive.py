"""A finished layer's folder: its size, its digest, and the zip that is uploaded."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

MOMENT = (2020, 1, 1, 0, 0, 0)  # one fixed time for every file, so that two builds are equal
EPOCH = 1_577_836_800  # the same moment, for the file system


def files(folder: Path) -> Iterator[Path]:
    """Every file below a folder, in order."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def megabytes(folder: Path) -> float:
    """Size of the files below a folder, in MB of 1 024 × 1 024 bytes."""
    return sum(path.stat().st_size for path in files(folder)) / 1_048_576


def content_digest(folder: Path) -> str:
    """SHA-256 over every path, mode and byte: equal for two builds of the same inputs."""
    digest = hashlib.sha256()
    for path in files(folder):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_mode:o}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def settle(folder: Path) -> None:
    """Give every file the same time, and the mode that Lambda needs."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or ".so" in path.suffixes else 0o644)
        os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)


def archive(folder: Path, to: Path, *, level: int) -> None:
    """Zip a folder, byte for byte the same for the same content."""
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as file:
        for path in files(folder):
            entry = zipfile.ZipInfo(str(path.relative_to(folder)), MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (path.stat().st_mode & 0xFFFF) << 16
            entry.create_system = 3
            file.writestr(entry, path.read_bytes(), compresslevel=level)
