"""Telco churn files become customers as of one moment and churn labels that come later."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from countersign.cli.importers import import_telco
from countersign.cli.importers.command import app
from countersign.errors import ContractError
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from .published_files import DATA, delivered, line, refused, write

ANN = {
    "customerID": "7590-VHVEG", "gender": "Female", "SeniorCitizen": "0", "Partner": "Yes",
    "Dependents": "No", "tenure": "34", "PhoneService": "No", "MultipleLines": "No phone service",
    "InternetService": "Fiber optic", "OnlineSecurity": "No", "OnlineBackup": "Yes",
    "DeviceProtection": "No", "TechSupport": "No internet service", "StreamingTV": "No",
    "StreamingMovies": "No", "Contract": "Month-to-month", "PaperlessBilling": "Yes",
    "PaymentMethod": "Bank transfer (automatic)", "MonthlyCharges": "29.85",
    "TotalCharges": "1889.5", "Churn": "Yes",
}  # fmt: skip
NAMES = tuple(ANN)
HEADER = ",".join(NAMES)
SNAPSHOT = datetime(2018, 1, 1, tzinfo=UTC)


def row(number: int, **changes: str) -> str:
    return line(ANN | {"customerID": f"{number:04}-BOB", "Churn": "No"} | changes)


def imported(path: Path, **options: Any) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    out = path.parent / "out"
    import_telco([path], out, **options)
    return delivered(out, "telco_customers"), refused(out)


def test_a_row_is_a_customer_as_of_the_snapshot(tmp_path: Path) -> None:
    (made,), aside = imported(write(tmp_path / "a.csv", HEADER, line(ANN)))
    assert aside == []
    assert made == {
        "customer_id": "7590-VHVEG",
        "gender": "female",
        "senior_citizen": "no",
        "partner": True,
        "dependents": False,
        "tenure_months": 34,
        "phone_service": False,
        "multiple_lines": "no_phone_service",
        "internet_service": "fiber_optic",
        "online_security": "no",
        "online_backup": "yes",
        "device_protection": "no",
        "tech_support": "no_internet_service",
        "streaming_tv": "no",
        "streaming_movies": "no",
        "contract": "month_to_month",
        "paperless_billing": True,
        "payment_method": "bank_transfer_automatic",
        "monthly_charges_minor": 2_985,
        "total_charges_minor": 188_950,
        "observed_at": SNAPSHOT,
        "known_at": SNAPSHOT,
    }


def test_who_left_is_known_a_month_after_the_snapshot(tmp_path: Path) -> None:
    import_telco([write(tmp_path / "a.csv", HEADER, line(ANN), row(1))], tmp_path / "out")
    assert delivered(tmp_path / "out", "telco_churn_labels") == [
        {
            "customer_id": "7590-VHVEG",
            "occurred_at": SNAPSHOT,
            "known_at": SNAPSHOT + timedelta(days=30),
        }
    ]


def test_snapshot_and_delay_are_the_caller_s(tmp_path: Path) -> None:
    at = datetime(2025, 6, 30, tzinfo=UTC)
    path = write(tmp_path / "a.csv", HEADER, line(ANN))
    (made,), _ = imported(path, snapshot=at, label_delay=timedelta(days=7))
    assert made["observed_at"] == at
    (label,) = delivered(tmp_path / "out", "telco_churn_labels")
    assert label["known_at"] == datetime(2025, 7, 7, tzinfo=UTC)


def test_a_blank_total_is_unknown_and_not_zero(tmp_path: Path) -> None:
    blank = line(ANN | {"tenure": "0", "TotalCharges": " "})
    zero = row(1, TotalCharges="0")
    made, aside = imported(write(tmp_path / "a.csv", HEADER, blank, zero))
    totals = {r["customer_id"]: r["total_charges_minor"] for r in made}
    assert aside == []
    assert totals == {"7590-VHVEG": None, "0001-BOB": 0}
    report = json.loads(next((tmp_path / "out").glob("*.report.json")).read_text())
    assert report["total_charges_blank"] == 1
    assert report["snapshot"] == "2018-01-01T00:00:00Z"


OTHER = HEADER.replace("tenure", "Tenure Months").replace("Churn", "Churn Label")
SPELLINGS = {
    "marked": (HEADER, line(ANN), {"mark": True}),
    "zipped": (HEADER, line(ANN), {"zipped": True}),
    "padded": (HEADER.replace(",", " , "), line(ANN).replace(",", " , "), {}),
    "dollars": (HEADER, line(ANN | {"MonthlyCharges": "$29.85 ", "TotalCharges": "$1,889.50"}), {}),
    "quoted": (HEADER, ",".join(f'"{v}"' for v in ANN.values()), {}),
    "cased": (HEADER.upper(), line(ANN | {"gender": "FEMALE", "Churn": "yes"}), {}),
    "spaced": (HEADER.replace("customerID", "Customer ID"), line(ANN | {"SeniorCitizen": "No"}), {}),
    "another edition": (OTHER, line(ANN), {}),
    "reordered": (",".join(reversed(NAMES)), line(ANN, tuple(reversed(NAMES))), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_of_a_row_is_the_same_row(name: str, tmp_path: Path) -> None:
    plain, _ = imported(write(tmp_path / "plain.csv", HEADER, line(ANN)))
    (tmp_path / "other").mkdir()
    header, body, how = SPELLINGS[name]
    other, aside = imported(write(tmp_path / "other" / "a.csv", header, body, **how))
    assert aside == []
    assert other == plain


REFUSED = {
    "no id": ({"customerID": " "}, "customerID", "an id"),
    "unknown gender": ({"gender": "F"}, "gender", "one of female, male"),
    "a service of another kind": ({"InternetService": "Satellite"}, "InternetService", "dsl"),
    "unknown contract": ({"Contract": "Ten year"}, "Contract", "two_year"),
    "half a month": ({"tenure": "1.5"}, "tenure", "whole number of months"),
    "tenure before zero": ({"tenure": "-1"}, "tenure", "whole number of months"),
    "blank charge": ({"MonthlyCharges": ""}, "MonthlyCharges", "29.85"),
    "negative charge": ({"MonthlyCharges": "-29.85"}, "MonthlyCharges", "29.85"),
    "total in words": ({"TotalCharges": "unknown"}, "TotalCharges", "or a blank"),
    "unlabelled": ({"Churn": ""}, "Churn", "Yes or No"),
    "stated before": ({"customerID": "0001-BOB"}, "(row)", "no earlier row states"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_row_is_put_aside_with_column_row_and_expectation(case: str, tmp_path: Path) -> None:
    changes, column, expected = REFUSED[case]
    made, aside = imported(write(tmp_path / "a.csv", HEADER, row(1), row(2, **changes), row(3)))
    assert [r["customer_id"] for r in made] == ["0001-BOB", "0003-BOB"]
    (told,) = aside
    assert (told["row"], told["column"]) == ("3", column)
    assert expected in told["expected"]


def test_a_missing_column_is_named_with_its_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEADER.replace("Contract", "Term"), line(ANN))
    with pytest.raises(ContractError, match="column 'Contract', row 1: expected") as wrong:
        import_telco([path], tmp_path / "out")
    assert [(e.field, e.row) for e in wrong.value.errors] == [("Contract", 1)]
    made, _ = imported(path, renames={"Term": "Contract"})
    assert len(made) == 1


def test_a_mapping_that_takes_one_column_for_another_is_seen_in_its_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEADER, *(row(n) for n in range(40)))
    with pytest.raises(ContractError, match="row 2") as wrong:
        import_telco([path], tmp_path / "out", renames={"gender": "tenure", "tenure": "gender"})
    assert wrong.value.errors[0].field == "tenure"
    assert "taken as gender" in wrong.value.errors[0].expected
    assert "34" not in wrong.value.detail.replace("40 of 40", "")


cell = st.sampled_from(
    ["", " ", "0", "1", "Yes", "No", "DSL", "$1,000.00", "Two year", "Male", "x"]
)
one = st.dictionaries(st.sampled_from(NAMES), cell, max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.lists(one, max_size=12))
def test_rows_in_are_rows_out_and_rows_put_aside(rows: list[dict[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        texts = [line(ANN | {"customerID": f"{n}"} | changes) for n, changes in enumerate(rows)]
        path = write(Path(folder) / "a.csv", HEADER, line(ANN), *texts)
        (count,) = import_telco([path], Path(folder) / "out").read
        made = delivered(Path(folder) / "out", "telco_customers")
        aside = refused(Path(folder) / "out")
    assert count.rows_in == len(rows) + 1 == len(made) + len(aside)
    assert (count.rows_out, count.quarantined) == (len(made), len(aside))
    assert all(told["column"] and told["expected"] and told["row"] for told in aside)
    assert len({customer["customer_id"] for customer in made}) == len(made)


def test_the_command_takes_a_day_and_refuses_in_one_line_with_2(tmp_path: Path) -> None:
    path, out = write(tmp_path / "a.csv", HEADER, line(ANN)), str(tmp_path / "out")
    ran = CliRunner().invoke(app, ["telco", str(path), "--out", out, "--snapshot", "2025-06-30"])
    assert ran.exit_code == 0, ran.output
    assert delivered(tmp_path / "out", "telco_customers")[0]["observed_at"].year == 2025
    path.write_text("a,b\n1,2\n")
    ran = CliRunner().invoke(app, ["telco", str(path), "--out", out])
    assert ran.exit_code == 2
    assert len(ran.output.strip().splitlines()) == 1


PUBLISHED = DATA / "telco_customer_churn.csv.gz"


@pytest.mark.skipif(
    not PUBLISHED.exists(),
    reason="needs the Telco file in ../shared/data beside the project",
)
def test_every_row_of_the_published_file_is_taken(tmp_path: Path) -> None:
    made = import_telco([PUBLISHED], tmp_path)
    assert [(f.rows_in, f.rows_out, f.quarantined) for f in made.read] == [(7_043, 7_043, 0)]
    assert made.rows == {"telco_customers": 7_043, "telco_churn_labels": 1_869}
    blank = [r for r in delivered(tmp_path, "telco_customers") if r["total_charges_minor"] is None]
    assert len(blank) == 11
    assert {r["tenure_months"] for r in blank} == {0}
