"""Model artifacts in S3. Bytes are trusted only after the signature and every SHA-256 were verified."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from countersign.aws.lake import Lake
from countersign.aws.signer import Signer
from countersign.errors import DigestMismatchError


@dataclass(frozen=True, slots=True)
class Verified:
    """An artifact whose signature and digests hold. `digest` is the SHA-256 of its manifest."""

    digest: str
    manifest: dict[str, Any]
    files: dict[str, bytes]


class Artifacts(Lake):
    """`<use_case>/runs/<run_id>/…` for candidates and `<use_case>/<version>/…` once registered."""

    def __init__(self, s3: Any, bucket: str, signer: Signer) -> None:
        super().__init__(s3, bucket)
        self._signer = signer

    def seal(self, folder: str, manifest: dict[str, Any]) -> str:
        """Write `manifest.json` and its signature into `folder`; returns the manifest's digest."""
        body = json.dumps(manifest, sort_keys=True, allow_nan=False, separators=(",", ":")).encode()
        self.put(f"{folder}/manifest.json", body, content_type="application/json")
        self.put(f"{folder}/manifest.sig", self._signer.sign(body))
        return hashlib.sha256(body).hexdigest()

    def load(self, folder: str, names: tuple[str, ...], *, digest: str | None = None) -> Verified:
        """The files `names` of `folder`, verified against the signed manifest.

        Raises
        ------
        DigestMismatchError   the manifest is not the pinned one, or a file is not the manifest's
        SignatureError        the manifest was not signed by the exporter
        NotFoundError         a file is missing
        """
        body = self.get(f"{folder}/manifest.json")
        found = hashlib.sha256(body).hexdigest()
        if digest is not None and found != digest:
            raise DigestMismatchError(f"The manifest in {folder} is not the pinned one")
        self._signer.verify(body, self.get(f"{folder}/manifest.sig"))
        manifest = json.loads(body)
        files = {name: self._verified(folder, name, manifest) for name in names}
        return Verified(found, manifest, files)

    def _verified(self, folder: str, name: str, manifest: dict[str, Any]) -> bytes:
        recorded = manifest["files"].get(name)
        if recorded is None:
            raise DigestMismatchError(f"{name} is not in the manifest of {folder}")
        content = self.get(f"{folder}/{name}")
        if hashlib.sha256(content).hexdigest() != recorded["sha256"]:
            raise DigestMismatchError(f"{folder}/{name} differs from its recorded digest")
        return content
