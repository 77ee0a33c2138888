"""Objects in S3: the offline store, datasets, baselines, archived predictions and reports."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from countersign.errors import NotFoundError

# A few files may be large and are fetched in pieces; many are small, and waiting for each is what costs.
_FEW = 4
_READERS = 8


class Lake:
    """One bucket by key. Used for the lake bucket and, with `bucket`, for raw deliveries."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self.bucket = bucket

    def keys(self, prefix: str) -> list[str]:
        """Every key below `prefix`, in order."""
        return list(self.sizes(prefix))

    def sizes(self, prefix: str) -> dict[str, int]:
        """The bytes of every object below `prefix`, by key, in order."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        return {
            item["Key"]: int(item["Size"]) for page in pages for item in page.get("Contents", [])
        }

    def exists(self, key: str) -> bool:
        """Whether an object stands at `key`."""
        try:
            self._s3.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}:
                return False
            raise
        return True

    def get(self, key: str) -> bytes:
        """The bytes at `key`. Raises NotFoundError when nothing stands there."""
        try:
            body: bytes = self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                raise NotFoundError(f"No object at {key}") from error
            raise
        return body

    def put(self, key: str, body: bytes, *, content_type: str = "application/octet-stream") -> None:
        """Write `body` at `key`."""
        self._s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type)

    def put_file(self, key: str, path: Path) -> None:
        """Upload a local file to `key`."""
        self._s3.upload_file(str(path), self.bucket, key)

    def copy(self, source_key: str, key: str) -> None:
        """Copy an object within the bucket."""
        self._s3.copy_object(
            Bucket=self.bucket, Key=key, CopySource={"Bucket": self.bucket, "Key": source_key}
        )

    def delete(self, key: str) -> None:
        """Delete the current version of `key`; the bucket keeps earlier versions."""
        self._s3.delete_object(Bucket=self.bucket, Key=key)

    def read_json(self, key: str) -> Any:
        """The JSON document at `key`."""
        return json.loads(self.get(key))

    def write_json(self, key: str, document: Any) -> None:
        """Write `document` at `key`, with sorted keys; NaN is refused."""
        text = json.dumps(document, sort_keys=True, allow_nan=False, separators=(",", ":"))
        self.put(key, text.encode(), content_type="application/json")

    def download(self, keys: Iterable[str], folder: Path) -> list[Path]:
        """Fetch `keys` into `folder`, one file each, names unique and in the order of `keys`."""
        folder.mkdir(parents=True, exist_ok=True)
        named = [
            (key, folder / f"{number:06d}-{key.rsplit('/', 1)[-1]}")
            for number, key in enumerate(keys)
        ]
        if len(named) <= _FEW:
            for key, path in named:
                self._s3.download_file(self.bucket, key, str(path))
        else:
            with ThreadPoolExecutor(_READERS) as pool:
                list(pool.map(lambda one: self._fetch(*one), named))
        return [path for _, path in named]

    def _fetch(self, key: str, path: Path) -> None:
        body = self._s3.get_object(Bucket=self.bucket, Key=key)["Body"]
        with path.open("wb") as file:
            shutil.copyfileobj(body, file)
