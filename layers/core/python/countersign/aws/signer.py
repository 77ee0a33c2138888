"""Signatures of manifests by an asymmetric KMS key: the exporter may sign, scorers may only verify."""

from __future__ import annotations

import hashlib
from typing import Any

from botocore.exceptions import ClientError

from countersign.errors import SignatureError

ALGORITHM = "ECDSA_SHA_256"


class Signer:
    """KMS over SHA-256 digests; the bytes themselves never leave the worker."""

    def __init__(self, kms: Any, key_arn: str) -> None:
        self._kms = kms
        self._key = key_arn

    def sign(self, document: bytes) -> bytes:
        """The DER signature of `document`."""
        answer = self._kms.sign(
            KeyId=self._key,
            Message=hashlib.sha256(document).digest(),
            MessageType="DIGEST",
            SigningAlgorithm=ALGORITHM,
        )
        signature: bytes = answer["Signature"]
        return signature

    def verify(self, document: bytes, signature: bytes) -> None:
        """Raise SignatureError unless `signature` is ours over `document`."""
        try:
            answer = self._kms.verify(
                KeyId=self._key,
                Message=hashlib.sha256(document).digest(),
                MessageType="DIGEST",
                Signature=signature,
                SigningAlgorithm=ALGORITHM,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "KMSInvalidSignatureException":
                raise SignatureError(
                    "The manifest was not signed by this account's exporter"
                ) from error
            raise
        if not answer["SignatureValid"]:
            raise SignatureError("The manifest was not signed by this account's exporter")
