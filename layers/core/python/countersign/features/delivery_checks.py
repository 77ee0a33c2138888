"""A whole delivery against the ones before it: volume, means, nulls, outliers, facts told again under new keys.

Row by row it may be right and still be wrong as a whole: half a payroll, pay in another unit, last month's
payslips under new ids. By the bounds its source declares it is flagged, or refused with the reason.
"""
# ruff: noqa: S608 - SQL is made of declarations and quoted names

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from countersign.declare import DeliveryPolicy, Source
from countersign.features.contract import CHECKED
from countersign.features.reading import column
from countersign.statistics.volume import volume_test

# Beyond so many quartile ranges from the quartiles a value is an outlier.
FENCE = 3.0
LISTED = 20
Profile = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Warned:
    """One thing that is odd about a delivery. `keys` name rows, never values; `refused`: it cannot be used."""

    check: str
    column: str
    text: str
    refused: bool = False
    keys: tuple[str, ...] = ()


def profile(connection: Any, source: Source) -> dict[str, Any]:
    """What later deliveries are held against: rows, and of each column the share of nulls and, of numbers,
    mean, standard deviation and quartiles. Of the accepted rows of `checked_rows`.
    """
    good = f"FROM {CHECKED} WHERE len(_wrong) = 0"
    (rows,) = connection.execute(f"SELECT count(*) {good}").fetchone()
    columns: dict[str, Any] = {}
    for c in source.columns:
        value = column(c.name)
        number = f"{value}::DOUBLE" if c.type in {"integer", "number"} else "NULL::DOUBLE"
        present, mean, std, low, high = connection.execute(
            f"SELECT count({value}), avg({number}), stddev_pop({number}), "
            f"quantile_cont({number}, 0.25), quantile_cont({number}, 0.75) {good}"
        ).fetchone()
        nulls = 1 - present / rows if rows else 0.0
        columns[c.name] = {
            "nulls": nulls, "n": present, "mean": mean, "std": std, "q1": low, "q3": high,
        }  # fmt: skip
    return {"rows": int(rows), "columns": columns}


def weigh(
    connection: Any,
    source: Source,
    current: Profile,
    earlier: Sequence[Profile],
    stored: str | None,
) -> list[Warned]:
    """What is odd about the delivery in `checked_rows`, whose profile is `current`.

    `earlier`: profiles of accepted deliveries. `stored`: a relation of the source's accepted rows, needed
    where the source declares what makes two facts the same.
    """
    found = _repeats(connection, source, stored) if source.same else []
    bounds = source.delivery
    if len(earlier) < bounds.history or current["rows"] < bounds.fewest:
        return found
    found += _volume(current, earlier, bounds)
    for c in source.columns:
        then = [p["columns"][c.name] for p in earlier if c.name in p["columns"]]
        if then:
            found += _nulls(c.name, current["columns"][c.name], then, bounds)
            found += _mean(c.name, current["columns"][c.name], then, bounds)
            found += _outliers(connection, c.name, current["rows"], then, bounds)
    return found


def _volume(current: Profile, earlier: Sequence[Profile], bounds: DeliveryPolicy) -> list[Warned]:
    usual = float(median(p["rows"] for p in earlier))
    tested = volume_test(current["rows"], usual, tolerance=bounds.rows_flag)
    if tested.verdict != "alert" or tested.change is None:
        return []
    told = (
        f"{current['rows']} rows; the last {len(earlier)} deliveries had {usual:.0f} in the middle"
    )
    return [Warned("volume", "", told, abs(tested.change) >= bounds.rows_refuse)]


def _nulls(
    name: str, now: Mapping[str, Any], then: Sequence[Mapping[str, Any]], bounds: DeliveryPolicy
) -> list[Warned]:
    usual = median(p["nulls"] for p in then)
    risen = now["nulls"] - usual
    if risen < bounds.nulls_flag:
        return []
    told = f"{now['nulls']:.1%} null; {usual:.1%} before"
    return [Warned("null rate", name, told, risen >= bounds.nulls_refuse)]


def _mean(
    name: str, now: Mapping[str, Any], then: Sequence[Mapping[str, Any]], bounds: DeliveryPolicy
) -> list[Warned]:
    """The shift of the mean in standard deviations of the earlier rows, between deliveries and within."""
    known = [p for p in then if p["mean"] is not None and p["n"]]
    total = sum(p["n"] for p in known)
    if now["mean"] is None or not total:
        return []
    usual = sum(p["n"] * p["mean"] for p in known) / total
    spread = sum(p["n"] * (p["std"] ** 2 + (p["mean"] - usual) ** 2) for p in known) / total
    shift = abs(now["mean"] - usual)
    if not spread > 0:
        return []
    shift /= math.sqrt(spread)
    if shift < bounds.mean_flag:
        return []
    told = f"its mean lies {shift:.1f} standard deviations from that of earlier deliveries"
    return [Warned("mean", name, told, shift >= bounds.mean_refuse)]


def _outliers(
    connection: Any,
    name: str,
    rows: int,
    then: Sequence[Mapping[str, Any]],
    bounds: DeliveryPolicy,
) -> list[Warned]:
    known = [p for p in then if p["q1"] is not None]
    if not known:
        return []
    low, high = median(p["q1"] for p in known), median(p["q3"] for p in known)
    if not high > low:
        return []
    reach, value = FENCE * (high - low), f"{column(name)}::DOUBLE"
    (far,) = connection.execute(
        f"SELECT count(*) FROM {CHECKED} WHERE len(_wrong) = 0 "
        f"AND ({value} < {low - reach!r} OR {value} > {high + reach!r})"
    ).fetchone()
    share = far / rows
    if share < bounds.outliers_flag:
        return []
    told = f"{share:.1%} of the rows lie far outside what earlier deliveries had"
    return [Warned("outliers", name, told, share >= bounds.outliers_refuse)]


def _repeats(connection: Any, source: Source, stored: str | None) -> list[Warned]:
    """Rows that tell the facts of another row, delivered now or before, under a new key."""
    key = "concat_ws('|', " + ", ".join(f"{column(k)}::VARCHAR" for k in source.key) + ")"
    same = ", ".join(column(name) for name in source.same)
    known = f"SELECT {key} AS _key, {same}, 0 AS _order FROM {stored}" if stored else None
    new = f"SELECT {key} AS _key, {same}, 1 AS _order FROM {CHECKED} WHERE len(_wrong) = 0 AND NOT _deleted"
    every = f"{new} UNION ALL BY NAME {known}" if known else new
    found = connection.execute(
        f"SELECT DISTINCT _key FROM (SELECT _key, _order, "
        f"first_value(_key) OVER (PARTITION BY {same} ORDER BY _order, _key) AS _first FROM ({every})) "
        f"WHERE _order = 1 AND _key <> _first "
        + (f"AND _key NOT IN (SELECT {key} FROM {stored}) " if stored else "")
        + "ORDER BY _key"
    ).fetchall()
    (rows,) = connection.execute(f"SELECT count(*) FROM {CHECKED} WHERE len(_wrong) = 0").fetchone()
    if not found:
        return []
    bounds, count = source.delivery, len(found)
    refused = rows >= bounds.fewest and count >= bounds.repeats_refuse * rows
    told = f"{count} of {rows} rows tell the facts of another {', '.join(source.key)}: the same "
    told += ", ".join(source.same)
    return [
        Warned(
            "duplicates", ", ".join(source.key), told, refused, tuple(k for (k,) in found[:LISTED])
        )
    ]
