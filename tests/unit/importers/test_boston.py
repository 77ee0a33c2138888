"""The four published files, as they are. Skipped where they are not: they are not ours to ship."""

import csv
import gzip
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from countersign.cli.importers import Imported, import_earnings
from countersign.errors import ContractError

DATA = Path(__file__).parents[4] / "shared" / "data"
YEARS = {2016: 22_046, 2017: 22_245, 2018: 23_605, 2019: 23_312}

pytestmark = pytest.mark.skipif(
    not (DATA / "boston_earnings_2016.csv.gz").exists(),
    reason="needs the Boston earnings files in ../shared/data beside the project",
)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Imported]:
    out = tmp_path_factory.mktemp("boston")
    return out, import_earnings([DATA], out)


def _payslips(out: Path) -> pd.DataFrame:
    parts = [pd.read_parquet(p) for p in (out / "raw" / "payslips").rglob("*.parquet")]
    return pd.concat(parts, ignore_index=True)


def _published(year: int) -> list[list[str]]:
    with gzip.open(DATA / f"boston_earnings_{year}.csv.gz", "rt", encoding="utf-8-sig") as file:
        return list(csv.reader(file))[1:]


def test_rows_in_are_rows_out_and_rows_quarantined(imported: tuple[Path, Imported]) -> None:
    out, made = imported
    assert {file.year: file.rows_in for file in made.read} == YEARS
    for file in made.read:
        assert file.rows_in == file.rows_out + file.quarantined == len(_published(file.year))
    per_year = Counter(_payslips(out)["pay_date"].dt.year)
    assert per_year == {file.year: file.rows_out for file in made.read}


def test_only_the_header_repeated_inside_2018_is_refused(imported: tuple[Path, Imported]) -> None:
    out, made = imported
    assert {file.year: file.quarantined for file in made.read} == {
        2016: 0,
        2017: 0,
        2018: 2,
        2019: 0,
    }
    rows = list(csv.DictReader(next((out / "quarantine").rglob("*.csv")).read_text().splitlines()))
    assert [row["column"] for row in rows] == ["DEPARTMENT_NAME", "DEPARTMENT_NAME"]
    assert all('"TOTAL EARNINGS"' in row["cells"] for row in rows)


def test_the_money_of_each_year_adds_up_to_the_cent(imported: tuple[Path, Imported]) -> None:
    out, _ = imported
    paid = _payslips(out)
    sums = paid["gross_pay_minor"].groupby(paid["pay_date"].dt.year).sum()
    for year in YEARS:
        cents = 0
        for row in _published(year):
            text = row[10].replace("$", "").replace(",", "").strip()
            if text != "TOTAL EARNINGS":
                cents += round(float(text) * 100)
        assert sums[year] == cents


def test_no_two_rows_of_a_year_are_one_worker(imported: tuple[Path, Imported]) -> None:
    out, made = imported
    paid = _payslips(out)
    assert paid["payslip_id"].is_unique
    assert not paid.assign(year=paid["pay_date"].dt.year).duplicated(["worker_id", "year"]).any()
    repeated = [Counter(row[0] for row in _published(year)) for year in YEARS]
    shared = {token for year in repeated for token, count in year.items() if count > 1}
    assert not shared & set(paid["worker_id"])
    assert made.identities["shared_tokens"] == 113


def test_most_workers_have_a_year_before(imported: tuple[Path, Imported]) -> None:
    out, _ = imported
    paid = _payslips(out)
    years = paid.groupby("worker_id").size()
    assert (years > 1).mean() > 0.75
    assert len(years) > 29_000


def test_a_wrong_mapping_names_their_column_the_row_and_what_was_expected(tmp_path: Path) -> None:
    swapped = {"TITLE": "TOTAL EARNINGS", "TOTAL EARNINGS": "TITLE"}
    for year in YEARS:
        path = DATA / f"boston_earnings_{year}.csv.gz"
        with pytest.raises(ContractError) as wrong:
            import_earnings([path], tmp_path / "out", renames=swapped)
        (error,) = wrong.value.errors
        assert (error.field, error.row) == ("TITLE", 2)
        assert "an amount" in error.expected
        assert _published(year)[0][2] not in wrong.value.detail
    assert not (tmp_path / "out").exists()


def test_injected_errors_are_two_in_a_hundred_of_the_later_years(tmp_path: Path) -> None:
    made = import_earnings([DATA], tmp_path, inject_rate=0.02)
    later = sum(rows for year, rows in YEARS.items() if year > 2016)
    assert sum(made.anomalies.values()) == pytest.approx(0.02 * later, rel=0.01)
    assert len(made.anomalies) == 6
    assert made.rows["payroll_errors"] == sum(made.anomalies.values())
