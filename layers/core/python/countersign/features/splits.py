"""Which rows teach, which choose and which judge: by time, or stratified where the data has no time."""
# ruff: noqa: S608 - SQL is made of declarations

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from countersign.clock import iso
from countersign.declare import UseCase
from countersign.features.duck import from_microseconds, quote

STRATA = "strata"


@dataclass(frozen=True, slots=True)
class Splits:
    """`where` is SQL per split over the rows of the dataset; `facts` is what its manifest says."""

    where: dict[str, str]
    facts: dict[str, Any]


def splits_of(connection: Any, use_case: UseCase, dataset: str) -> Splits:
    """The splits of a dataset (`_n`, `as_of`, `label` and the spine's key) as its use case declares.

    By time: the oldest train, and no moment lies in two splits. Stratified: the same share of every
    label in each, the rows drawn by a hash of their key, so that equal facts are split equally.
    """
    declared = use_case.split
    first, second = declared.train, declared.train + declared.validate
    if declared.order == "stratified":
        return _stratified(connection, use_case, dataset, (first, second))
    return _by_time(connection, dataset, (first, second))


def _by_time(connection: Any, dataset: str, shares: tuple[float, float]) -> Splits:
    (rows,) = connection.execute(f"SELECT count(*) FROM {dataset}").fetchone()
    starts = connection.execute(
        f"SELECT min(epoch_us(as_of)) FILTER (_n > {int(rows * shares[0])}), "
        f"min(epoch_us(as_of)) FILTER (_n > {int(rows * shares[1])}) FROM {dataset}"
    ).fetchone()
    at, valid, test = "epoch_us(as_of)", *map(int, starts)
    where = {
        "train": f"{at} < {valid}",
        "valid": f"{at} >= {valid} AND {at} < {test}",
        "test": f"{at} >= {test}",
    }
    moments = {
        "valid_from": iso(from_microseconds(valid)),
        "test_from": iso(from_microseconds(test)),
    }
    return Splits(where, {"order": "time", **moments})


def _stratified(
    connection: Any, use_case: UseCase, dataset: str, shares: tuple[float, float]
) -> Splits:
    key = ", ".join(f'"{name}"::VARCHAR' for name in use_case.spine.key)
    drawn = f"sha256(concat_ws(chr(31), {quote(use_case.name)}, {key}))"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {STRATA} AS SELECT _n, "
        f"CASE WHEN p < {shares[0]!r} THEN 'train' WHEN p < {shares[1]!r} THEN 'valid' ELSE 'test' END "
        f"AS split FROM (SELECT _n, (row_number() OVER (PARTITION BY label ORDER BY {drawn}) - 0.5) "
        f"/ count(*) OVER (PARTITION BY label) AS p FROM {dataset})"
    )
    where = {
        name: f"_n IN (SELECT _n FROM {STRATA} WHERE split = '{name}')"
        for name in ("train", "valid", "test")
    }
    return Splits(where, {"order": "stratified", "by": "label"})
