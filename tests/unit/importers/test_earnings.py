"""Annual earnings files become payroll sources: every row accounted for, nothing invented."""

import csv
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from countersign.cli.importers import import_earnings
from countersign.cli.importers.command import app
from countersign.cli.importers.earnings_tables import COVERAGE
from countersign.cli.importers.published import minor_units
from countersign.cli.payroll_generator.sources import COLUMNS
from countersign.errors import ContractError
from typer.testing import CliRunner

HEADER = (
    "NAME,DEPARTMENT_NAME,TITLE,REGULAR,RETRO,OTHER,OVERTIME,INJURED,DETAIL,"
    "QUINN/EDUCATION INCENTIVE,TOTAL EARNINGS,POSTAL"
)
ANN = 'Wann,Parks,Gardener,"$1,000.00 ",,$50.00 ,($10.00),,,,"$1,040.00 ",021'


def write(
    folder: Path, year: int, *rows: str, header: str = HEADER, encoding: str = "utf-8"
) -> Path:
    path = folder / f"earnings_{year}.csv"
    path.write_bytes("\r\n".join([header, *rows, ""]).encode(encoding))
    return path


def payslips(out: Path) -> pd.DataFrame:
    parts = [pd.read_parquet(p) for p in sorted((out / "raw" / "payslips").rglob("*.parquet"))]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("$108,408.85 ", 10_840_885),
        ("($1,234.50)", -123_450),
        ("-46.1", -4_610),
        ("503025.78", 50_302_578),
        ("0", 0),
        ("  ", None),
        (" -   ", None),
        (" $ -   ", None),
    ],
)  # fmt: skip
def test_money_is_read_exactly(text: str, cents: int | None) -> None:
    assert minor_units(text) == cents


@pytest.mark.parametrize(
    "text", ["1,23.00", "1.234,50", "12.345", "n/a", "1e3", "$", "1 000", "(5"]
)
def test_money_is_never_guessed(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        minor_units(text)


def test_a_year_is_one_payslip_with_its_total_and_both_clocks(tmp_path: Path) -> None:
    import_earnings([write(tmp_path, 2018, ANN)], tmp_path / "out")
    row = payslips(tmp_path / "out").iloc[0]
    assert (row["gross_pay_minor"], row["bonus_minor"], row["currency"]) == (104_000, 5_000, "USD")
    assert (row["client_id"], row["pay_frequency"], row["revision"]) == ("parks", "annual", 0)
    assert row["pay_date"] == pd.Timestamp("2018-12-31", tz="UTC")
    assert row["known_at"] == pd.Timestamp("2019-01-01T05:00", tz="UTC")


def test_what_the_file_lacks_is_null_and_named_in_the_coverage_table(tmp_path: Path) -> None:
    import_earnings([write(tmp_path, 2018, ANN)], tmp_path / "out")
    frame = payslips(tmp_path / "out")
    absent = {name for name, (how, _) in COVERAGE["payslips"].items() if how == "absent"}
    assert set(frame.columns[frame.isna().all()]) == absent
    assert {source: set(COLUMNS[source]) for source in COLUMNS} == {
        source: set(columns) for source, columns in COVERAGE.items()
    }


def test_a_real_delivery_is_not_tainted(tmp_path: Path) -> None:
    made = import_earnings([write(tmp_path, 2018, ANN)], tmp_path / "out")
    assert json.loads(made.marker.read_text())["synthetic"] is False
    assert tuple(payslips(tmp_path / "out").columns) == COLUMNS["payslips"]
    assert made.rows["payroll_errors"] == 0


def test_padding_marks_and_latin_1_do_not_matter(tmp_path: Path) -> None:
    padded = "\ufeff" + HEADER.replace("REGULAR,", " REGULAR  ,")
    marked = write(tmp_path, 2018, ANN, header=padded)
    latin = write(tmp_path, 2019, ANN.replace("Parks", "Parks Señor"), encoding="latin-1")
    made = import_earnings([marked, latin], tmp_path / "out")
    assert [(file.encoding, file.rows_out) for file in made.read] == [("utf-8", 1), ("latin-1", 1)]


def test_a_missing_column_is_named_with_what_was_expected(tmp_path: Path) -> None:
    path = write(tmp_path, 2020, header=HEADER.replace("OVERTIME", "OVER TIME"))
    with pytest.raises(ContractError, match="OVERTIME") as refused:
        import_earnings([path], tmp_path / "out")
    assert {(error.field, error.row) for error in refused.value.errors} == {
        ("OVERTIME", 1),
        ("OVER TIME", 1),
    }
    assert not (tmp_path / "out").exists()


def test_a_repeated_column_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, 2020, header=HEADER.replace("INJURED", "DETAIL"))
    with pytest.raises(ContractError, match="once"):
        import_earnings([path], tmp_path / "out")


def test_a_file_must_say_its_year_and_no_year_may_come_twice(tmp_path: Path) -> None:
    nameless = tmp_path / "earnings.csv"
    nameless.write_text(HEADER)
    with pytest.raises(ContractError, match="which year"):
        import_earnings([nameless], tmp_path / "out")
    again = tmp_path / "second_2018.csv"
    again.write_text(HEADER)
    with pytest.raises(ContractError, match="More than one"):
        import_earnings([write(tmp_path, 2018, ANN), again], tmp_path / "out")


def test_unreadable_rows_are_quarantined_with_row_column_and_reason(tmp_path: Path) -> None:
    bad = [
        ANN.replace("$50.00", "fifty"),
        HEADER,
        "Wshort,Parks",
        ANN.replace('"$1,040.00 "', '"$1,041.00 "'),
        ANN.replace("Gardener", "  "),
    ]
    path = write(tmp_path, 2018, ANN, *bad)
    made = import_earnings([path], tmp_path / "out")
    assert (made.read[0].rows_in, made.read[0].rows_out, made.read[0].quarantined) == (6, 1, 5)
    found = tmp_path / "out" / "quarantine" / "earnings" / "earnings_2018.csv.rows.csv"
    rows = list(csv.DictReader(found.read_text().splitlines()))
    assert [(row["row"], row["column"]) for row in rows] == [
        ("3", "OTHER"),
        ("4", "NAME"),
        ("5", "(row)"),
        ("6", "TOTAL EARNINGS"),
        ("7", "TITLE"),
    ]
    assert all(row["expected"] for row in rows)
    assert json.loads(rows[2]["cells"]) == ["Wshort", "Parks"]


def test_two_people_of_one_name_are_never_merged(tmp_path: Path) -> None:
    """Two jobs under one token stay two workers, in the years when only one of them occurs too."""
    other = ANN.replace("Parks", "Police").replace("Gardener", "Officer")
    files = [write(tmp_path, 2017, ANN), write(tmp_path, 2018, ANN, other)]
    made = import_earnings(files, tmp_path / "out")
    frame = payslips(tmp_path / "out")
    assert frame["worker_id"].nunique() == 2
    gardener = frame[frame["client_id"] == "parks"]
    assert gardener["worker_id"].nunique() == 1
    assert made.identities["shared_tokens"] == 1
    assert made.identities["rows_of_shared_tokens"] == 3


def test_rows_that_nothing_tells_apart_stand_alone_and_are_counted(tmp_path: Path) -> None:
    files = [write(tmp_path, 2017, ANN), write(tmp_path, 2018, ANN, ANN)]
    made = import_earnings(files, tmp_path / "out")
    assert payslips(tmp_path / "out")["worker_id"].nunique() == 3
    assert made.identities["rows_on_their_own"] == 2


def test_links_that_only_the_token_supports_are_counted(tmp_path: Path) -> None:
    moved = ANN.replace("Parks", "Police").replace("Gardener", "Officer")
    made = import_earnings(
        [write(tmp_path, 2017, ANN), write(tmp_path, 2018, moved)], tmp_path / "out"
    )
    assert made.identities["links_on_token_alone"] == 1
    changes = pd.read_parquet(next((tmp_path / "out/raw/worker_changes").rglob("*.parquet")))
    assert changes[["kind", "client_id"]].to_numpy().tolist() == [["contract", "police"]]


def test_publication_can_be_later_than_the_year_s_end(tmp_path: Path) -> None:
    path = write(tmp_path, 2018, ANN)
    import_earnings([path], tmp_path / "out", published_after=timedelta(days=45))
    assert payslips(tmp_path / "out")["known_at"][0] == datetime(2019, 2, 15, 5, tzinfo=UTC)


def test_injected_errors_are_labelled_and_taint_the_whole_delivery(tmp_path: Path) -> None:
    paid = ANN.replace("$50.00", "$950.00").replace("$1,040.00", "$1,940.00")
    rows = [paid.replace("Wann", f"W{n:04}") for n in range(200)]
    files = [write(tmp_path, year, *rows) for year in (2017, 2018)]
    made = import_earnings(files, tmp_path / "out", inject_rate=0.1)
    frame = payslips(tmp_path / "out")
    errors = pd.read_parquet(next((tmp_path / "out/raw/payroll_errors").rglob("*.parquet")))
    assert json.loads(made.marker.read_text())["synthetic"] is True
    assert frame["_synthetic"].all()
    assert errors["_synthetic"].all()
    assert set(errors["payslip_id"]) <= set(frame["payslip_id"])
    assert len(errors) == sum(made.anomalies.values()) > 12
    assert (errors["known_at"] > pd.Timestamp("2019-01-15", tz="UTC")).all()
    first_year = frame[frame["pay_date"].dt.year == 2017]
    assert (first_year["gross_pay_minor"] == 194_000).all()


def test_the_import_repeats_byte_for_byte(tmp_path: Path) -> None:
    files = [write(tmp_path, 2017, ANN), write(tmp_path, 2018, ANN)]
    for name in ("one", "two"):
        import_earnings(files, tmp_path / name, inject_rate=0.2)
    one, two = (
        {p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*.*")}
        for name in ("one", "two")
    )
    assert one == two


def test_the_command_imports_a_folder_of_gzipped_files(tmp_path: Path) -> None:
    path = write(tmp_path, 2018, ANN)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "city_earnings_2018.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    ran = CliRunner().invoke(
        app, ["earnings", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    )
    assert ran.exit_code == 0, ran.output
    assert "1 rows in, 1 out, 0 refused" in ran.output


def test_the_command_says_in_one_sentence_what_is_wrong(tmp_path: Path) -> None:
    path = write(tmp_path, 2018, header=HEADER.replace("TITLE,", ""))
    ran = CliRunner().invoke(app, ["earnings", str(path), "--out", str(tmp_path / "out")])
    assert ran.exit_code == 2
    assert "TITLE" in ran.output
    assert len(ran.output.strip().splitlines()) == 1


def test_a_renamed_column_is_mapped(tmp_path: Path) -> None:
    path = write(tmp_path, 2018, ANN, header=HEADER.replace("OVERTIME", "OVER TIME"))
    made = import_earnings([path], tmp_path / "out", renames={"over time": "OVERTIME"})
    assert made.read[0].rows_out == 1


def test_a_mapping_to_the_wrong_column_names_column_row_and_expectation(tmp_path: Path) -> None:
    """TITLE and TOTAL EARNINGS change places: no row reads, and the column is to blame, not the rows."""
    swapped = (
        HEADER.replace("TITLE", "X")
        .replace("TOTAL EARNINGS", "TITLE")
        .replace("X", "TOTAL EARNINGS")
    )
    path = write(tmp_path, 2018, *[ANN] * 30, header=swapped)
    with pytest.raises(ContractError, match=r"TOTAL EARNINGS.*row 2.*an amount") as refused:
        import_earnings([path], tmp_path / "out")
    assert (refused.value.errors[0].field, refused.value.errors[0].row) == ("TOTAL EARNINGS", 2)
    assert "Gardener" not in refused.value.detail
    assert not (tmp_path / "out").exists()


def test_a_file_without_a_header_tells_nothing_of_its_first_row(tmp_path: Path) -> None:
    path = write(tmp_path, 2018, header=ANN)
    with pytest.raises(ContractError, match="no known header") as refused:
        import_earnings([path], tmp_path / "out")
    assert "Wann" not in refused.value.detail + str(refused.value.errors)
