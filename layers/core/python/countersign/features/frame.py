"""The point-in-time join for a person with a DataFrame: rows in, the same rows with features out.

The rules are those of training, by the same code: see `asof` for what stands at a moment. The frame
itself never goes through the engine, so its index, order, types and other columns stay as they are.
"""
# ruff: noqa: S608 - SQL is made of declarations and of names that were quoted

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from countersign.declare import FeatureView, Source
from countersign.errors import ContractError, DataError, FieldError
from countersign.features import contract, duck, reading
from countersign.features.asof import join_sql
from countersign.features.definition import definition_digest
from countersign.features.history import create_history

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    Table = DataFrame | Path | str | Sequence[Path]

_CLOCKS = ("event_time", "known_at", "_newest_fact_at", "_built_at")
_ZONED = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")
_SHOWN = 5


def point_in_time(
    spine: Table, views: Sequence[FeatureView], histories: Mapping[str, Table]
) -> DataFrame:
    """Every row of `spine`, with the features of `views` as they were known at the row's `as_of`.

    Parameters
    ----------
    spine : DataFrame or Parquet, shape (n_rows, any)
        `as_of` (with a time zone; finer than microseconds is cut off) and the key column of each
        view's entity, as text. Duplicates are rows like any other.
    views : sequence of FeatureView
        As declared: `use_cases.get(name).views`, or your own.
    histories : by the name of the view: DataFrame, Parquet file, folder or files
        What `history` made, or the parts below `offline/<view>/` of the lake.

    Returns
    -------
    DataFrame, shape (n_rows, any + n_features)
        The spine's index, order, types and columns; then a float column per feature, NaN where
        nothing was known or all of it is older than the view's time to live.

    Raises
    ------
    DataError      a row without a moment or a key, naive moments, keys that are numbers, a column
                   that has a feature's name, a history that is missing or of another definition
    """
    import pandas as pd

    frame = _frame(spine)
    names = [feature.name for view in views for feature in view.features]
    keys = list(dict.fromkeys(view.entity.key for view in views))
    _check_columns(frame, ["as_of", *keys], names)
    asked = {key: _texts(frame[key]) for key in keys} | {"as_of": _moments(frame["as_of"])}
    with TemporaryDirectory() as folder, duck.connect(Path(folder)) as connection:
        _register(connection, "asked", {"_place": list(range(len(frame))), **asked})
        built = [(view, _history(connection, view, histories, Path(folder))) for view in views]
        chosen = ", ".join(['"_place"', *(reading.column(name) for name in names)])
        found = connection.execute(
            f"SELECT {chosen} FROM ({join_sql(connection, 'asked', built)}) ORDER BY _place"
        ).fetchnumpy()
    made = {name: pd.array(_filled(found[name]), dtype="float64") for name in names}
    return pd.concat([frame, pd.DataFrame(made, index=frame.index)], axis="columns")


def history(view: FeatureView, sources: Mapping[str, Table], *, as_of: datetime) -> DataFrame:
    """The history of `view` as known at `as_of`, of rows of its sources by the sources' names.

    Rows are held against the source's contract as deliveries are; those that break it are left out
    and counted in the result's `attrs["put_aside"]`, by source. A source without rows may be missing.

    Raises
    ------
    ContractError      columns that are not the source's, or too many bad rows
    DataError          keys that are numbers
    """
    with TemporaryDirectory() as folder, duck.connect(Path(folder)) as connection:
        put_aside = {}
        for source in view.sources():
            files: list[Path] = []
            if source.name in sources:
                delivered = _frame(sources[source.name])
                _check_columns(delivered, [], [])
                for key in (*source.key, view.entity.key):
                    if key in delivered.columns and source.column(key).type == "string":
                        _texts(delivered[key], nulls=True)
                put_aside[source.name] = _accept(connection, source, delivered, Path(folder), as_of)
                files = [Path(folder) / f"{source.name}.accepted.parquet"]
            duck.register_source(connection, source, files)
        name = create_history(connection, view, as_of=as_of, built_at=as_of)
        rows = connection.sql(f"SELECT * FROM {name} ORDER BY entity_id, event_time, known_at")
        made: DataFrame = rows.to_arrow_table().to_pandas()
    made.attrs["put_aside"] = put_aside
    return made


def _accept(connection: Any, source: Source, rows: DataFrame, folder: Path, now: datetime) -> int:
    """Write the rows that hold to `<source>.accepted.parquet`; returns how many do not."""
    delivered = folder / f"{source.name}.parquet"
    rows.to_parquet(delivered, index=False)
    names, unreadable = reading.read_raw(connection, delivered, "parquet")
    contract.check_schema(source, names)
    verdict = contract.check_rows(connection, source, names, unreadable, now=now)
    if verdict.refused and verdict.rows:
        raise ContractError(
            f"{source.name}: {verdict.refused}",
            errors=[FieldError(f.column, f.expected, f.first[0]) for f in verdict.findings],
        )
    target = duck.quote(str(folder / f"{source.name}.accepted.parquet"))
    connection.execute(f"COPY ({contract.accepted_sql(source)}) TO {target} (FORMAT parquet)")
    return verdict.bad_rows


def _frame(table: Table) -> DataFrame:
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    files = _files(table)
    return pd.concat([pd.read_parquet(file) for file in files]) if files else pd.DataFrame()


def _files(table: Path | str | Sequence[Path]) -> list[Path]:
    if not isinstance(table, Path | str):
        return sorted(table)
    path = Path(table)
    return sorted(path.rglob("*.parquet")) if path.is_dir() else [path]


def _check_columns(frame: DataFrame, needed: Sequence[str], made: Sequence[str]) -> None:
    columns = list(frame.columns)
    wrong = [FieldError(name, "a column of the spine") for name in needed if name not in columns]
    wrong += [FieldError(name, "not the name of a feature") for name in made if name in columns]
    twice = {str(name) for name in [*columns, *made] if [*columns, *made].count(name) > 1}
    wrong += [FieldError(name, "one column of that name") for name in sorted(twice - {*made})]
    wrong += [
        FieldError(n, "a feature of one view only")
        for n in dict.fromkeys(made)
        if made.count(n) > 1
    ]
    if wrong:
        raise DataError("The columns cannot be joined", errors=wrong)


def _moments(column: Series[Any]) -> Any:
    """The column as Arrow timestamps in UTC, cut to microseconds."""
    import pandas as pd
    import pyarrow as pa

    if not isinstance(column.dtype, pd.DatetimeTZDtype):
        raise DataError(
            f"'as_of' is {column.dtype}: a moment without a time zone is no moment",
            errors=[FieldError("as_of", "timestamps with a time zone: tz_localize, then join")],
        )
    _no_nulls(column, "a moment (NaT)")
    in_utc = column.dt.tz_convert(None).dt.floor("us").dt.as_unit("us")
    return pa.array(in_utc.to_numpy(), type=pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))


def _texts(column: Series[Any], *, nulls: bool = False) -> Any:
    """The column as Arrow text."""
    import pandas as pd
    import pyarrow as pa

    if not nulls:
        _no_nulls(column, "a key")
    kind = pd.api.types.infer_dtype(column.astype(object), skipna=True)
    if kind not in {"string", "empty"}:
        raise DataError(
            f"{column.name!r} is {kind}: 1 is not the key '001', so numbers are no keys",
            errors=[FieldError(str(column.name), "text, with the zeros that the sources write")],
        )
    return pa.array(column.astype(object), type=pa.string(), from_pandas=True)


def _no_nulls(column: Series[Any], what: str) -> None:
    rows = [place for place, null in enumerate(column.isna()) if null]
    if rows:
        raise DataError(
            f"{len(rows)} rows of the spine have no {column.name!r}",
            errors=[FieldError(str(column.name), what, row) for row in rows[:_SHOWN]],
        )


def _history(
    connection: Any, view: FeatureView, histories: Mapping[str, Table], folder: Path
) -> str:
    """A relation of the view's history with clocks in microseconds; returns its name."""
    if view.name not in histories:
        wrong = [FieldError(view.name, "a history")]
        raise DataError(f"No history of the view {view.name!r}", errors=wrong)
    name, rows = f"given_{view.name}", duck.parquet(_parts(view, histories[view.name], folder))
    described = connection.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()
    zoned = {name for name, kind, *_ in described if kind.startswith(_ZONED)}
    if wrong := [FieldError(n, "moments with a time zone") for n in _CLOCKS if n not in zoned]:
        raise DataError(f"The history of {view.name!r} has no clocks", errors=wrong)
    clocks = ", ".join(f"{n}::TIMESTAMPTZ AS {n}" for n in _CLOCKS)
    connection.execute(f"CREATE TEMP VIEW {name} AS SELECT * REPLACE ({clocks}) FROM {rows}")
    held, mine = connection.execute(
        f"SELECT count(*), count(*) FILTER (_definition = '{definition_digest(view)}') FROM {name}"
    ).fetchone()
    if held and not mine:
        raise DataError(
            f"{view.name!r} was built under another definition; build its history again"
        )
    return name


def _parts(view: FeatureView, table: Table, folder: Path) -> list[Path]:
    """The Parquet files of a history; a frame is written to `folder`."""
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        return _files(table)
    part = folder / f"{view.name}.history.parquet"
    table.to_parquet(part, index=False)
    return [part]


def _register(connection: Any, name: str, columns: Mapping[str, Any]) -> None:
    import pyarrow as pa

    connection.register(name, pa.table(dict(columns)))


def _filled(values: Any) -> Any:
    """DuckDB's masked array as plain floats."""
    import numpy as np

    return np.ma.filled(np.ma.asarray(values, dtype="float64"), np.nan)
