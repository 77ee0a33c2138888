"""A frozen dataset as arrays, each file held against the digest in its manifest."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.clock import iso
from countersign.declare import UseCase
from countersign.errors import ContractError, DigestMismatchError, FieldError
from countersign.learning.native import Floats

SPLITS = ("train", "valid", "test")
Texts = NDArray[np.object_]
_NUMBERS = ("DOUBLE", "FLOAT", "BIGINT", "INTEGER", "SMALLINT", "TINYINT", "BOOLEAN", "DECIMAL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of one split, oldest first. `columns` are numbers (NaN is null), `texts` the rest.

    `ids` and `texts` hold str, `as_of` int64 microseconds since 1970 UTC, `target` int64 the class: 1 for
    yes and 0 for no, or the index among the label's classes; all shape (n,).
    """

    ids: Texts
    as_of: NDArray[np.int64]
    target: NDArray[np.int64]
    columns: Mapping[str, Floats]
    texts: Mapping[str, Texts]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def label(self) -> NDArray[np.bool_]:
        """Whether the row is labelled yes; of classes, whether it is not of the first."""
        return np.asarray(self.target > 0)

    @property
    def positives(self) -> int:
        """How many rows are labelled 1."""
        return int(self.label.sum())

    def span(self) -> dict[str, Any]:
        """Rows, positives, and the first and last as-of moment (null without rows)."""
        first, last = (_moment(edge) for edge in (self.as_of[:1], self.as_of[-1:]))
        return {"rows": len(self), "positives": self.positives, "from": first, "to": last}

    def take(self, index: NDArray[Any]) -> Rows:
        """The rows at `index` (numbers or a mask)."""
        return Rows(
            ids=self.ids[index],
            as_of=self.as_of[index],
            target=self.target[index],
            columns={name: values[index] for name, values in self.columns.items()},
            texts={name: values[index] for name, values in self.texts.items()},
        )


@dataclass(frozen=True, slots=True)
class Dataset:
    """`datasets/<dataset_id>/`: `manifest`, its SHA-256 as `digest`, and the splits on demand."""

    dataset_id: str
    manifest: Mapping[str, Any]
    digest: str
    key: str | Sequence[str]
    classes: tuple[str, ...]
    _get: Callable[[str], bytes]

    @classmethod
    def of(cls, get: Callable[[str], bytes], dataset_id: str, use_case: UseCase) -> Dataset:
        """The dataset of a use case: its rows are named by the spine's key, whatever names the label."""
        declared = use_case.label.classes
        return cls.open(get, dataset_id, key=use_case.spine.key, classes=declared)

    @classmethod
    def open(
        cls,
        get: Callable[[str], bytes],
        dataset_id: str,
        *,
        key: str | Sequence[str],
        classes: tuple[str, ...] = (),
    ) -> Dataset:
        """Read the manifest. `get` fetches an object of the lake; `key` names what tells rows apart."""
        body = get(f"datasets/{dataset_id}/manifest.json")
        digest = hashlib.sha256(body).hexdigest()
        return cls(dataset_id, json.loads(body), digest, key, classes, get)

    def split(self, name: str) -> Rows:
        """The rows of `train`, `valid` or `test`.

        Raises
        ------
        DigestMismatchError   the file is not the one that the manifest records
        ContractError         a column that every dataset has is absent, or a label is not 0 or 1
        """
        file = f"{name}.parquet"
        content = self._get(f"datasets/{self.dataset_id}/{file}")
        recorded = self.manifest["files"].get(file, {}).get("sha256")
        if hashlib.sha256(content).hexdigest() != recorded:
            raise DigestMismatchError(
                f"{file} of dataset {self.dataset_id} is not the frozen one; freeze the dataset again"
            )
        return read_rows(content, key=self.key, classes=self.classes)


def _targets(values: Any, classes: tuple[str, ...]) -> NDArray[np.int64]:
    """Each label as the index of its class; without classes it must be 0 or 1."""
    if classes:
        place = {name: n for n, name in enumerate(classes)}
        found = [place.get(name, -1) for name in _texts(values).tolist()]
        if -1 in found:
            expected = FieldError("label", f"one of {', '.join(classes)}", found.index(-1))
            raise ContractError("A label is none of the declared classes", errors=[expected])
        return np.array(found, dtype=np.int64)
    numbers = _numbers(values)
    if not np.isin(numbers, (0.0, 1.0)).all():
        raise ContractError("A label is neither 0 nor 1", errors=[FieldError("label", "0 or 1")])
    return numbers.astype(np.int64)


def _moment(microseconds: NDArray[np.int64]) -> str | None:
    """One moment, or none, as ISO-8601."""
    found: list[int] = microseconds.tolist()
    return iso(datetime.fromtimestamp(found[0] / 1e6, tz=UTC)) if found else None


def read_rows(parquet: bytes, *, key: str | Sequence[str], classes: tuple[str, ...] = ()) -> Rows:
    """The rows of a dataset's Parquet file. `classes` are the label's. Raises ContractError.

    An id is the value of the column `key`, or of several columns with `|` between them.
    """
    import duckdb

    keys = (key,) if isinstance(key, str) else tuple(key)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "split.parquet"
        path.write_bytes(parquet)
        with duckdb.connect(config={"threads": 2}) as connection:
            table = connection.read_parquet(str(path))
            types = dict(zip(table.columns, map(str, table.types), strict=True))
            _check_columns(types, keys)
            chosen = ", ".join(_as_array(name, kind) for name, kind in types.items())
            order = ", ".join(f'"{name}"' for name in ("as_of", *keys))
            found = table.order(order).project(chosen).fetchnumpy()
    numeric = [n for n, kind in types.items() if kind.startswith(_NUMBERS) and n != "label"]
    texts = [n for n, kind in types.items() if kind == "VARCHAR" and n != "label"]
    return Rows(
        ids=_ids([_texts(found[name]) for name in keys]),
        as_of=np.asarray(found["as_of"], dtype=np.int64),
        target=_targets(found["label"], classes),
        columns={name: _numbers(found[name]) for name in numeric},
        texts={name: _texts(found[name]) for name in texts},
    )


def _ids(parts: list[Texts]) -> Texts:
    return np.array(["|".join(row) for row in zip(*parts, strict=True)], dtype=object)


def _check_columns(types: Mapping[str, str], keys: tuple[str, ...]) -> None:
    wrong = [FieldError(name, "a column of the dataset") for name in (*keys, "as_of", "label")]
    wrong = [error for error in wrong if error.field not in types]
    if not wrong and not types["as_of"].startswith("TIMESTAMP"):
        wrong = [FieldError("as_of", "a timestamp")]
    if wrong:
        named = ", ".join(f"{error.field} ({error.expected})" for error in wrong)
        raise ContractError(f"Not a frozen dataset: {named}", errors=wrong)


def _as_array(name: str, kind: str) -> str:
    """A column as DuckDB must hand it over: numbers as doubles, moments as microseconds."""
    quoted = '"' + name.replace('"', '""') + '"'
    if kind.startswith("TIMESTAMP"):
        return f"epoch_us({quoted}) AS {quoted}"
    if kind.startswith(_NUMBERS):
        return f"CAST({quoted} AS DOUBLE) AS {quoted}"
    return f"CAST({quoted} AS VARCHAR) AS {quoted}"


def _numbers(values: Any) -> Floats:
    """Doubles with NaN where the column is null."""
    return np.asarray(np.ma.filled(values, np.nan), dtype=np.float64)


def _texts(values: Any) -> Texts:
    """Text with "" where the column is null."""
    return np.array(["" if v is None else str(v) for v in np.ma.filled(values, None)], dtype=object)
