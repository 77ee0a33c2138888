"""The join for a person with a DataFrame: what comes back, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from countersign.errors import ContractError, DataError
from countersign.features.frame import history, point_in_time
from pandas.testing import assert_frame_equal

from .lab import ISSUE, NOW, NOW_TOO, feature, row, utc, view

VIEW = view(feature("last", window=NOW_TOO), feature("count", "1", name="rows", window=NOW_TOO))


def facts(*rows: dict[str, Any]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows))
    for clock in ("at", "known_at"):
        frame[clock] = pd.to_datetime(frame[clock], utc=True, format="ISO8601")
    return frame.astype({"amount": "Int64", "flag": "boolean", "base": "float64"})


def spine(moments: Sequence[str], who: Sequence[Any] = ("a",) * 9, **extra: Any) -> pd.DataFrame:
    times = pd.to_datetime(list(moments), utc=True, format="ISO8601")
    return pd.DataFrame({"who": list(who)[: len(moments)], "as_of": times, **extra})


@pytest.fixture
def built() -> dict[str, Any]:
    rows = facts(
        row("f1", "2026-06-01", 5),
        row("f2", "2026-06-03", None),
        row("f1", "2026-06-01", 50, known_at="2026-06-05"),
        row("g1", "2026-06-02", 7, who="001"),
    )
    return {"made": history(VIEW, {"pay": rows}, as_of=NOW)}


def test_index_order_types_and_extra_columns_are_kept(built: dict[str, Any]) -> None:
    asked = spine(
        ["2026-06-06", "2026-06-02", "2026-05-01", "2026-06-02", "2026-06-04"],
        note=["x", None, "z", "", "y"],
        grade=pd.Categorical(["b", "a", "b", "a", "b"]),
        n=pd.array([1, None, 3, 4, 5], dtype="Int8"),
    )
    asked.index = pd.MultiIndex.from_tuples([("q", 9), ("p", 1), ("q", 9), ("r", 2), ("p", 0)], names=["k", "i"])  # fmt: skip
    before = asked.copy(deep=True)
    found = point_in_time(asked, [VIEW], built)
    assert_frame_equal(asked, before)
    assert_frame_equal(found[before.columns.tolist()], before)
    nan = float("nan")
    assert found["value"].tolist() == pytest.approx([nan, 5, nan, 5, nan], nan_ok=True)
    assert found["rows"].tolist() == pytest.approx([2, 1, nan, 1, 2], nan_ok=True)
    assert found.columns.tolist() == [*before.columns, "value", "rows"]


def test_duplicate_rows_and_an_empty_spine(built: dict[str, Any]) -> None:
    twice = spine(["2026-06-02", "2026-06-02"])
    assert point_in_time(twice, [VIEW], built)["value"].tolist() == [5, 5]
    none = point_in_time(twice.iloc[:0], [VIEW], built)
    assert (len(none), str(none["value"].dtype)) == (0, "float64")


def test_a_spine_and_a_history_in_parquet(built: dict[str, Any], tmp_path: Path) -> None:
    asked = spine(["2026-06-02", "2026-06-06"]).set_index(pd.Index([7, 3], name="row"))
    asked.to_parquet(tmp_path / "spine.parquet")
    parts = tmp_path / "offline" / "made"
    (parts / "day=01").mkdir(parents=True)
    built["made"].iloc[:2].to_parquet(parts / "day=01" / "a.parquet", index=False)
    built["made"].iloc[2:].to_parquet(parts / "b.parquet", index=False)
    found = point_in_time(tmp_path / "spine.parquet", [VIEW], {"made": parts})
    assert_frame_equal(found, point_in_time(asked, [VIEW], built))
    assert found.index.tolist() == [7, 3]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_moment_is_the_same_in_every_zone_and_unit(
    built: dict[str, Any], zone: str, unit: Any
) -> None:
    asked = spine(["2026-06-01", "2026-05-31T23:59:59"])
    asked["as_of"] = asked["as_of"].dt.tz_convert(zone).dt.as_unit(unit)
    found = point_in_time(asked, [VIEW], built)
    assert found["value"].isna().tolist() == [False, True]
    assert str(found["as_of"].dtype) == f"datetime64[{unit}, {zone}]"


def test_nanoseconds_before_a_correction_do_not_see_it(built: dict[str, Any]) -> None:
    asked = spine(["2026-06-05"])
    asked["as_of"] = asked["as_of"].dt.as_unit("ns") - pd.Timedelta(1, "ns")
    wide = view(feature("sum", window=NOW_TOO))
    rows = facts(row("f1", "2026-06-01", 5), row("f1", "2026-06-01", 50, known_at="2026-06-05"))
    made = history(wide, {"pay": rows}, as_of=NOW)
    assert point_in_time(asked, [wide], {"made": made})["value"].tolist() == [5]


def refused(asked: pd.DataFrame, built: dict[str, Any], views: Any = (VIEW,)) -> DataError:
    with pytest.raises(DataError) as error:
        point_in_time(asked, views, built)
    return error.value


def test_naive_moments_are_refused(built: dict[str, Any]) -> None:
    asked = spine(["2026-06-02"])
    for naive in (asked["as_of"].dt.tz_localize(None), asked["as_of"].astype(str), asked["as_of"].dt.date):  # fmt: skip
        error = refused(asked.assign(as_of=naive), built)
        assert "without a time zone" in error.detail
        assert [found.field for found in error.errors] == ["as_of"]


def test_rows_without_a_moment_or_key_are_refused_by_row(built: dict[str, Any]) -> None:
    asked = spine(["2026-06-02", "2026-06-03", "2026-06-04"])
    error = refused(asked.assign(as_of=asked["as_of"].where(asked.index < 1)), built)
    assert error.detail == "2 rows of the spine have no 'as_of'"
    assert [(found.field, found.row) for found in error.errors] == [("as_of", 1), ("as_of", 2)]
    error = refused(asked.assign(who=asked["who"].where(asked.index != 1)), built)
    assert [(found.field, found.row) for found in error.errors] == [("who", 1)]


def test_keys_that_are_numbers_are_refused_and_001_is_found(built: dict[str, Any]) -> None:
    assert point_in_time(spine(["2026-06-03"], ["001"]), [VIEW], built)["value"].tolist() == [7]
    for numbers in ([1], [1.0], pd.Categorical([1])):
        error = refused(spine(["2026-06-03"]).assign(who=numbers), built)
        assert "1 is not the key '001'" in error.detail
        assert error.errors[0].field == "who"
    mixed = spine(["2026-06-03", "2026-06-03"]).assign(who=["001", 1])
    assert "mixed" in refused(mixed, built).detail


def test_keys_of_any_text_type_are_found(built: dict[str, Any]) -> None:
    for kind in ("object", "str", "string", "category"):
        asked = spine(["2026-06-03"], ["001"]).astype({"who": kind})
        assert point_in_time(asked, [VIEW], built)["value"].tolist() == [7]


def test_columns_that_are_missing_or_taken_are_named(built: dict[str, Any]) -> None:
    asked = spine(["2026-06-03"], value=[1]).drop(columns="who")
    told = {(found.field, found.expected) for found in refused(asked, built).errors}
    assert told == {("who", "a column of the spine"), ("value", "not the name of a feature")}
    twice = pd.concat([spine(["2026-06-03"]), spine(["2026-06-03"])[["as_of"]]], axis="columns")
    assert [found.field for found in refused(twice, built).errors] == ["as_of"]


def test_a_history_that_is_missing_or_of_another_definition_is_refused(built: dict[str, Any]) -> None:  # fmt: skip
    asked = spine(["2026-06-03"])
    assert "No history" in refused(asked, {}).detail
    other = view(feature("sum", window=NOW_TOO))
    assert "another definition" in refused(asked, built, [other]).detail
    naive = built["made"].assign(known_at=built["made"]["known_at"].dt.tz_localize(None))
    assert [found.field for found in refused(asked, {"made": naive}).errors] == ["known_at"]


def test_rows_of_a_source_without_a_time_are_counted_and_left_out() -> None:
    rows = facts(*(row(f"f{n}", utc("2026-06-01") + timedelta(hours=n)) for n in range(40)))
    rows.loc[3, "at"] = pd.NaT
    made = history(VIEW, {"pay": rows}, as_of=NOW)
    assert made.attrs["put_aside"] == {"pay": 1}
    assert point_in_time(spine(["2026-06-30"]), [VIEW], {"made": made})["rows"].tolist() == [39]


def test_sources_that_break_their_contract_are_refused_by_column() -> None:
    rows = facts(row("f1", "2026-06-01"))
    with pytest.raises(ContractError) as error:
        history(VIEW, {"pay": rows.assign(at=rows["at"].dt.tz_localize(None))}, as_of=NOW)
    assert [(found.field, found.row) for found in error.value.errors] == [("at", 1)]
    with pytest.raises(DataError, match="1 is not the key"):
        history(VIEW, {"pay": rows.assign(who=[1])}, as_of=NOW)
    with pytest.raises(ContractError):
        history(VIEW, {"pay": rows.drop(columns="amount")}, as_of=NOW)


def test_a_source_without_rows_may_be_missing() -> None:
    both = view(feature("count", "1", source="*", window=NOW_TOO), also=(ISSUE,))
    made = history(both, {"issue": facts(row("f1", "2026-06-01"))}, as_of=NOW)
    assert point_in_time(spine(["2026-06-03"]), [both], {"made": made})["value"].tolist() == [1]
