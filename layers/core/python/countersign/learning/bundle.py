"""The archive of a training job (`model.tar.gz`), opened with suspicion: plain files, known names, true digests."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import zlib
from typing import Any

from countersign.errors import ArtifactError, DigestMismatchError
from countersign.learning.record import RECORD

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
MOST_FILES = 100
MOST_BYTES = 1_500_000_000  # unpacked: half of what the function that opens it has


def unpack(content: bytes) -> dict[str, bytes]:
    """The files of a gzipped tar by name. Nothing is written anywhere.

    Raises ArtifactError for anything but plain files at the top, twice the same name, or too much.
    """
    files: dict[str, bytes] = {}
    left = MOST_BYTES
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r|gz") as archive:
            for entry in archive:
                name = entry.name.removeprefix("./")
                if entry.isdir() and name in ("", "."):
                    continue
                if not entry.isreg() or not NAME.match(name) or name in files:
                    raise ArtifactError(
                        f"The job's archive holds {entry.name[:100]!r}, not a run's file"
                    )
                left -= entry.size
                if left < 0 or len(files) >= MOST_FILES:
                    raise ArtifactError("The job's archive is larger than any run; train again")
                read = archive.extractfile(entry)
                files[name] = read.read() if read is not None else b""
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ArtifactError("The job's archive is not a whole model.tar.gz; train again") from error
    return files


def checked(files: dict[str, bytes], **expected: str) -> dict[str, Any]:
    """The record among `files`, once it is of what was `expected` and every file is the one that it names.

    Raises
    ------
    ArtifactError         there is no record, or it is of another run, use case or dataset
    DigestMismatchError   a file is absent, changed, or not on record
    """
    try:
        record: dict[str, Any] = json.loads(files[RECORD])
        named = dict(record["files"])
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"The job's archive has no readable {RECORD}; train again") from error
    for name, value in expected.items():
        if record.get(name) != value:
            raise ArtifactError(f"The job's archive is of another {name}; it is not collected")
    if set(files) - {RECORD} != set(named):
        raise DigestMismatchError("The job's archive does not hold exactly the files of its record")
    for name, digest in named.items():
        if hashlib.sha256(files[name]).hexdigest() != digest:
            raise DigestMismatchError(f"{name} in the job's archive is not what training wrote")
    return record
