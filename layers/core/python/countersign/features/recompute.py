"""The values of a training set computed again from the sources, by the definition, and compared one by one.

Where a value is another, the whole history of its entity is searched for it: one that was known or true
only after the as-of time is a leak, and is called so.
"""
# ruff: noqa: S608 - SQL is made of declarations

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from countersign.declare import FeatureView
from countersign.features.aggregations import served
from countersign.features.duck import timestamp
from countersign.features.engine import create_stream
from countersign.features.history import points_sql
from countersign.features.pointintime import check_spine, direct_sql
from countersign.features.values import values_sql

# Of equal values: a file of a person may have been written with fewer digits than ours, or with more: we
# keep nine digits of a deviation. Much less than any value that somebody could have peeked at.
TOLERANCE = 1e-7
EXAMPLES = 5
EXPECTED = "_expected"


def audit_view(
    connection: Any, view: FeatureView, frame: str, names: Sequence[str], *, by: datetime
) -> list[dict[str, Any]]:
    """Compare the columns `names` of `frame` with what the definition of `view` gives, value by value.

    `frame` has `_row`, the entity's key (VARCHAR), `as_of` (TIMESTAMPTZ) and the columns, as DOUBLE or
    null. What was known by `by` is searched for where a wrong value came from. Leaves the expected
    values of every feature of the view as the table `_expected`.

    Returns per column `{column, origin, verdict, rows, compared, differing, known_after, true_after,
    slack_seconds, examples, why}`. `verdict` is proven, leak (equals a value of after the as-of time) or
    differs. `slack_seconds`: how long before its as-of time the newest fact behind any row became
    known. `examples`: the first rows that differ, counted from 1.
    """
    key = view.entity.key
    stream = create_stream(connection, view, known_by=timestamp(by))
    connection.execute(
        f'CREATE OR REPLACE TEMP TABLE _asked AS SELECT _row, "{key}", as_of FROM {frame}'
    )
    check_spine(connection, "_asked", (key,))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _expected AS {direct_sql(view, stream, '_asked')}"
    )
    slack = _slack(connection, view, stream)
    rows = [compare(connection, frame, name, view.name, slack) for name in names]
    wrong = [row["column"] for row in rows if row["differing"]]
    if wrong:
        _create_later(connection, view, stream, frame, by)
        for row in rows:
            if row["differing"]:
                row.update(_explain(connection, view, frame, row["column"]))
    return rows


def differing_sql(name: str) -> str:
    """Whether the frame's value (f) and the expected one (e) differ; nulls are equal to nulls."""
    one, other = f'f."{name}"', f'e."{name}"'
    return (
        f"(({one} IS NULL) <> ({other} IS NULL) OR coalesce(abs({one} - {other}) > "
        f"{TOLERANCE!r} * greatest(abs({one}), abs({other})), false))"
    )


def compare(
    connection: Any, frame: str, name: str, origin: str, slack: float | None
) -> dict[str, Any]:
    """One column of the frame against `_expected`."""
    differs = differing_sql(name)
    rows, compared, differing, examples = connection.execute(
        f"SELECT count(*), count(e._row), count(*) FILTER ({differs}), "
        f"array_agg(f._row ORDER BY f._row) FILTER ({differs}) "
        f"FROM {frame} f LEFT JOIN _expected e ON f._row = e._row"
    ).fetchone()
    return {
        "column": name,
        "origin": origin,
        "verdict": "differs" if differing else "proven",
        "rows": rows,
        "compared": compared,
        "differing": differing,
        "known_after": 0,
        "true_after": 0,
        "slack_seconds": slack,
        "examples": [int(row) for row in (examples or [])[:EXAMPLES]],
        "why": "",
    }


def _slack(connection: Any, view: FeatureView, stream: str) -> float | None:
    """Seconds between the as-of time of a row and the newest fact known of then: the least of any row."""
    key = view.entity.key
    (found,) = connection.execute(
        f"SELECT min(epoch_us(as_of) - _newest) / 1e6 FROM (SELECT _row, any_value(as_of) AS as_of, "
        f'max(epoch_us(_known)) AS _newest FROM _asked JOIN {stream} h ON h._entity = _asked."{key}" '
        f"AND _known <= (as_of AT TIME ZONE 'UTC') AND _t <= (as_of AT TIME ZONE 'UTC') GROUP BY _row)"
    ).fetchone()
    return None if found is None else float(found)


def _create_later(
    connection: Any, view: FeatureView, stream: str, frame: str, by: datetime
) -> None:
    """`_later`: every value that the entities of the frame ever had, with its clocks, by `by`."""
    mine = f'(SELECT * FROM {stream} WHERE _entity IN (SELECT "{view.entity.key}" FROM {frame}))'
    connection.execute(f"CREATE OR REPLACE TEMP TABLE _mine AS {mine}")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _moments AS {points_sql(view, '_mine', timestamp(by))}"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _later AS {values_sql(view, '_mine', '_moments')}"
    )


def _explain(connection: Any, view: FeatureView, frame: str, name: str) -> dict[str, Any]:
    """Of the rows that differ: how many hold a value that was known, or true, only afterwards."""
    feature = next(f for f in view.features if f.name == name)
    moment = "(f.as_of AT TIME ZONE 'UTC')"
    seen = served(feature, f'h."{name}"', moment)
    later = served(feature, f'h."{name}"', "h._e")
    value = f'f."{name}"'
    close = " OR ".join(
        f"abs({value} - {one}) <= {TOLERANCE!r} * greatest(abs({value}), abs({one}))"
        for one in dict.fromkeys((seen, later))
    )
    true_after, known_after = connection.execute(
        f"SELECT count(*) FILTER (_after AND NOT _late), count(*) FILTER (_late) FROM ("
        f"SELECT f._row, coalesce(bool_or(h._e <= {moment} AND h._k > {moment}), false) AS _late, "
        f"coalesce(bool_or(h._e > {moment}), false) AS _after FROM {frame} f JOIN _expected e "
        f'ON f._row = e._row JOIN _later h ON h._entity = f."{view.entity.key}" '
        f"WHERE {differing_sql(name)} AND (h._e > {moment} OR h._k > {moment}) AND ({close}) "
        f"GROUP BY f._row)"
    ).fetchone()
    told = [f"{known_after} values were known only after their as-of time"] if known_after else []
    told += [f"{true_after} values are from after their as-of time"] if true_after else []
    return {
        "known_after": known_after,
        "true_after": true_after,
        "verdict": "leak" if told else "differs",
        "why": "; ".join(told) or "these values were never those of the declaration",
    }
