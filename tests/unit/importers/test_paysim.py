"""PaySim files become transactions and fraud labels: every row accounted for, no amount guessed."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from countersign.cli.importers import import_paysim
from countersign.cli.importers.command import app
from countersign.errors import ContractError
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from .published_files import DATA, delivered, line, refused, write

NAMES = (
    "step", "type", "amount", "nameOrig", "oldbalanceOrg", "newbalanceOrig",
    "nameDest", "oldbalanceDest", "newbalanceDest", "isFraud", "isFlaggedFraud",
)  # fmt: skip
HEADER = ",".join(NAMES)
ANN = dict(
    zip(
        NAMES,
        ("7", "TRANSFER", "181.00", "C1305", "181.00", "0.00", "C5532", "0.00", "0.00", "1", "0"),
        strict=True,
    )
)
BOB = ANN | {"type": "PAYMENT", "amount": "9839.64", "nameOrig": "C1231", "isFraud": "0"}


def row(number: int = 0, **changes: str) -> str:
    return line(BOB | {"nameOrig": f"C{number}"} | changes, NAMES)


def imported(path: Path, **options: Any) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    out = path.parent / "out"
    import_paysim([path], out, **options)
    return delivered(out, "paysim_transactions"), refused(out)


def test_a_row_is_a_transaction_with_cents_and_a_moment(tmp_path: Path) -> None:
    (made,), aside = imported(write(tmp_path / "a.csv", HEADER, line(ANN)))
    at = datetime(2017, 1, 1, 7, tzinfo=UTC)
    assert aside == []
    assert made.pop("transaction_id").startswith("ps-")
    assert made == {
        "step": 7,
        "type": "TRANSFER",
        "amount_minor": 18_100,
        "orig_account": "C1305",
        "dest_account": "C5532",
        "orig_balance_before_minor": 18_100,
        "orig_balance_after_minor": 0,
        "dest_balance_before_minor": 0,
        "dest_balance_after_minor": 0,
        "flagged_by_rule": False,
        "occurred_at": at,
        "known_at": at,
    }


def test_a_fraud_is_labelled_and_known_a_week_later(tmp_path: Path) -> None:
    import_paysim([write(tmp_path / "a.csv", HEADER, line(ANN), row())], tmp_path / "out")
    (label,) = delivered(tmp_path / "out", "paysim_fraud_labels")
    fraud = {r["type"]: r for r in delivered(tmp_path / "out", "paysim_transactions")}["TRANSFER"]
    assert label["transaction_id"] == fraud["transaction_id"]
    assert label["known_at"] - label["occurred_at"] == timedelta(days=7)


def test_origin_and_delay_are_the_caller_s(tmp_path: Path) -> None:
    made, _ = imported(
        write(tmp_path / "a.csv", HEADER, line(ANN)),
        origin=datetime(2026, 3, 28, tzinfo=UTC),
        label_delay=timedelta(days=1),
    )
    assert made[0]["occurred_at"] == datetime(2026, 3, 28, 7, tzinfo=UTC)
    (label,) = delivered(tmp_path / "out", "paysim_fraud_labels")
    assert label["known_at"] == datetime(2026, 3, 29, 7, tzinfo=UTC)


def padded(text: str) -> str:
    return ",".join(f"  {name} " for name in text.split(","))


SPELLINGS = {
    "marked": (HEADER, line(ANN), {"mark": True}),
    "zipped": (HEADER, line(ANN), {"zipped": True}),
    "padded": (padded(HEADER), padded(line(ANN)), {}),
    "dollars": (HEADER, line(ANN | {"amount": "$181", "oldbalanceOrg": "$ 181.0 "}), {}),
    "quoted": (",".join(f'"{n}"' for n in NAMES), ",".join(f'"{v}"' for v in ANN.values()), {}),
    "floats": (HEADER, line(ANN | {"step": "7.0", "isFraud": "1.0", "isFlaggedFraud": "0.0"}), {}),
    "words": (HEADER, line(ANN | {"type": "transfer", "isFraud": "True"}), {}),
    "reordered": (",".join(reversed(NAMES)), line(ANN, tuple(reversed(NAMES))), {}),
    "cased": (HEADER.upper().replace("NAMEORIG", "name_orig"), line(ANN), {}),
    "alias": (HEADER.replace("oldbalanceOrg", "oldbalanceOrig"), line(ANN), {}),
    "indexed": ("," + HEADER, "0," + line(ANN), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_of_a_row_is_the_same_row(name: str, tmp_path: Path) -> None:
    plain, _ = imported(write(tmp_path / "plain.csv", HEADER, line(ANN)))
    (tmp_path / "other").mkdir()
    header, body, how = SPELLINGS[name]
    other, aside = imported(write(tmp_path / "other" / "a.csv", header, body, **how))
    assert aside == []
    assert other == plain


def test_thousands_are_read_and_a_blank_balance_is_null(tmp_path: Path) -> None:
    text = line(ANN | {"amount": "1,234,567.80", "newbalanceOrig": " ", "oldbalanceDest": "-"})
    (made,), _ = imported(write(tmp_path / "a.csv", HEADER, text))
    assert made["amount_minor"] == 123_456_780
    assert made["orig_balance_after_minor"] is made["dest_balance_before_minor"] is None


def test_what_a_spreadsheet_has_rounded_is_taken_as_stated_and_counted(tmp_path: Path) -> None:
    text = line(ANN | {"oldbalanceDest": "1.92E+07", "newbalanceDest": "1.29e7"})
    (made,), _ = imported(write(tmp_path / "a.csv", HEADER, text))
    assert made["dest_balance_before_minor"] == 1_920_000_000
    report = json.loads(next((tmp_path / "out").glob("*.report.json")).read_text())
    assert report["files_read"][0]["amounts_rounded_by_a_spreadsheet"] == {
        "newbalanceDest": 1,
        "oldbalanceDest": 1,
    }


def test_a_file_without_the_other_rule_s_flag_is_read(tmp_path: Path) -> None:
    (made,), _ = imported(write(tmp_path / "a.csv", ",".join(NAMES[:-1]), line(ANN, NAMES[:-1])))
    assert made["flagged_by_rule"] is None


REFUSED = {
    "unknown type": ({"type": "BARTER"}, "type", "one of CASH_IN, CASH_OUT"),
    "negative amount": ({"amount": "-5.00"}, "amount", "0 or more"),
    "amount in brackets": ({"amount": "(5.00)"}, "amount", "0 or more"),
    "amount in words": ({"amount": "many"}, "amount", "0 or more"),
    "blank amount": ({"amount": " "}, "amount", "0 or more"),
    "third decimal": ({"amount": "1.005"}, "amount", "0 or more"),
    "not whole cents": ({"amount": "1.2345E+01"}, "amount", "0 or more"),
    "negative balance": ({"oldbalanceDest": "-1"}, "oldbalanceDest", "or a blank"),
    "step 0": ({"step": "0"}, "step", "from 1 to 744"),
    "step too late": ({"step": "745"}, "step", "from 1 to 744"),
    "half a step": ({"step": "7.5"}, "step", "from 1 to 744"),
    "blank step": ({"step": ""}, "step", "from 1 to 744"),
    "blank account": ({"nameDest": " "}, "nameDest", "not a blank"),
    "maybe a fraud": ({"isFraud": "2"}, "isFraud", "0 or 1"),
    "unlabelled": ({"isFraud": ""}, "isFraud", "0 or 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_row_is_put_aside_with_column_row_and_expectation(case: str, tmp_path: Path) -> None:
    changes, column, expected = REFUSED[case]
    made, aside = imported(write(tmp_path / "a.csv", HEADER, row(1), row(2, **changes), row(3)))
    assert len(made) == 2
    (told,) = aside
    assert (told["file"], told["row"], told["column"]) == ("a.csv", "3", column)
    assert expected in told["expected"]
    assert json.loads(told["cells"])[3] == "C2"


def test_repeats_short_rows_and_repeated_headers_are_put_aside(tmp_path: Path) -> None:
    again = row(1, oldbalanceDest="1.92E+07")
    made, aside = imported(
        write(tmp_path / "a.csv", HEADER, row(1), "", row(2), again, "7,PAYMENT", HEADER)
    )
    assert len(made) == 2
    assert [(r["row"], r["column"]) for r in aside] == [
        ("5", "(row)"),
        ("6", "(row)"),
        ("7", "step"),
    ]
    assert aside[0]["expected"] == "a transaction that no earlier row states"


def test_of_two_files_that_state_a_transaction_the_first_stands(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", HEADER, row(1), row(2, oldbalanceOrg="5"))
    two = write(tmp_path / "two.csv", HEADER, row(2, oldbalanceOrg="6"), row(3))
    made = import_paysim([one, two], tmp_path / "out")
    assert [(f.rows_in, f.rows_out, f.quarantined) for f in made.read] == [(2, 2, 0), (2, 1, 1)]
    held = {r["orig_account"]: r for r in delivered(tmp_path / "out", "paysim_transactions")}
    assert held["C2"]["orig_balance_before_minor"] == 500


WRONG = {
    "missing": (HEADER.replace("amount", "betrag"), {}, "column 'amount', row 1"),
    "repeated": (HEADER.replace("newbalanceDest", "amount"), {}, "'amount', row 1: expected to occur once"),
    "repeated by case": (HEADER.replace("newbalanceDest", "AMOUNT"), {}, "occur once"),
    "map of nothing": (HEADER, {"betrag": "amount"}, "column 'betrag', row 1"),
    "map to nothing": (HEADER, {"amount": "betrag"}, "column 'betrag': expected one of step, type"),
    "map to two": (HEADER, {"step": "amount"}, "column 'amount', row 1: expected to come from one"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_header_or_mapping_names_column_row_and_expectation(
    case: str, tmp_path: Path
) -> None:
    header, renames, told = WRONG[case]
    path = write(tmp_path / "a.csv", header, line(ANN))
    with pytest.raises(ContractError) as wrong:
        import_paysim([path], tmp_path / "out", renames=renames)
    assert told in wrong.value.detail
    assert "\n" not in wrong.value.detail
    assert wrong.value.errors
    assert not (tmp_path / "out").exists()


def test_a_renamed_column_is_mapped_and_the_report_says_so(tmp_path: Path) -> None:
    header = HEADER.replace("amount", "Betrag").replace("nameDest", "Empfänger")
    (made,), _ = imported(
        write(tmp_path / "a.csv", header, line(ANN)),
        renames={"betrag": "amount", "Empfänger": "nameDest"},
    )
    assert (made["amount_minor"], made["dest_account"]) == (18_100, "C5532")
    report = json.loads(next((tmp_path / "out").glob("*.report.json")).read_text())
    assert report["files_read"][0]["columns"]["amount"] == "Betrag"


def test_a_mapping_that_takes_one_column_for_another_is_seen_in_its_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEADER, *(row(n) for n in range(30)))
    with pytest.raises(ContractError) as wrong:
        import_paysim(
            [path], tmp_path / "out", renames={"nameDest": "amount", "amount": "nameDest"}
        )
    (error,) = wrong.value.errors
    assert (error.field, error.row) == ("nameDest", 2)
    assert error.expected == "an amount of 0 or more such as 1234.50 (taken as amount)"
    assert "C5532" not in wrong.value.detail
    assert not (tmp_path / "out").exists()


def test_a_file_without_a_header_tells_nothing_of_its_first_row(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="column names: step, type") as wrong:
        import_paysim([write(tmp_path / "a.csv", line(ANN), row())], tmp_path / "out")
    assert "C1305" not in wrong.value.detail + str(wrong.value.errors)


NOTHING = {
    "empty": ((), "is empty"),
    "header only": ((HEADER,), "no rows"),
    "no good row": ((HEADER, row(step="0")), "column 'step', row 2"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOTHING)
def test_a_file_without_a_usable_row_is_refused_whole(case: str, tmp_path: Path) -> None:
    lines, told = NOTHING[case]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(ContractError, match=told):
        import_paysim([path], tmp_path / "out")
    assert not (tmp_path / "out").exists()


cell = st.sampled_from(
    ["", " ", "0", "1", "7", "744", "745", "-3", "1.92E+07", "$1,000.00", "TRANSFER", "C1", "x", "0.001"]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(cell, min_size=1, max_size=13), max_size=12))
def test_rows_in_are_rows_out_and_rows_put_aside(rows: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        texts = [",".join(f'"{text}"' for text in cells) for cells in rows]
        path = write(Path(folder) / "a.csv", HEADER, line(ANN), *texts)
        (count,) = import_paysim([path], Path(folder) / "out").read
        made = delivered(Path(folder) / "out", "paysim_transactions")
        aside = refused(Path(folder) / "out")
    assert count.rows_in == len(rows) + 1 == len(made) + len(aside)
    assert (count.rows_out, count.quarantined) == (len(made), len(aside))
    assert all(told["column"] and told["expected"] and told["row"] for told in aside)
    assert len({transaction["transaction_id"] for transaction in made}) == len(made)


def test_the_import_repeats_byte_for_byte(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEADER, line(ANN), row(1), row(2, step="0"))
    for name in ("one", "two"):
        import_paysim([path], tmp_path / name)
    one, two = (
        {p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*.*")}
        for n in ("one", "two")
    )
    assert len(one) == 5
    assert one == two


def test_the_command_says_what_became_of_each_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEADER.replace("amount", "amt"), line(ANN), row(step="0"))
    ran = CliRunner().invoke(
        app, ["paysim", str(path), "--out", str(tmp_path / "out"), "--map", "amt=amount"]
    )
    assert ran.exit_code == 0, ran.output
    assert "2 rows in, 1 out, 1 refused" in ran.output


@pytest.mark.parametrize("pair", ["amount", "=amount", "amt=betrag"])
def test_the_command_says_a_wrong_mapping_in_one_line_and_ends_with_2(
    pair: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", HEADER, line(ANN))
    command = ["paysim", str(path), "--out", str(tmp_path / "out"), "--map", pair]
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == 2
    assert len(ran.output.strip().splitlines()) == 1
    assert "expected" in ran.output


REAL = {
    "paysim_first_19999.csv.gz": (19_999, 81),
    "paysim_sample_51k_steps1-119.csv.gz": (51_392, 1_392),
}


@pytest.mark.skipif(
    not all((DATA / name).exists() for name in REAL),
    reason="needs the PaySim files in ../shared/data beside the project",
)
@pytest.mark.parametrize("name", REAL)
def test_every_row_of_a_published_file_is_taken(name: str, tmp_path: Path) -> None:
    rows, frauds = REAL[name]
    made = import_paysim([DATA / name], tmp_path)
    assert [(f.rows_in, f.rows_out, f.quarantined) for f in made.read] == [(rows, rows, 0)]
    assert made.rows == {"paysim_transactions": rows, "paysim_fraud_labels": frauds}
    found = delivered(tmp_path, "paysim_transactions")
    assert len({r["transaction_id"] for r in found}) == rows
    labels = {r["transaction_id"] for r in delivered(tmp_path, "paysim_fraud_labels")}
    kinds = Counter(r["type"] for r in found if r["transaction_id"] in labels)
    assert set(kinds) == {"CASH_OUT", "TRANSFER"}


@pytest.mark.skipif(
    not all((DATA / name).exists() for name in REAL),
    reason="needs the PaySim files in ../shared/data beside the project",
)
def test_what_both_published_files_state_is_taken_once(tmp_path: Path) -> None:
    made = import_paysim([DATA / name for name in REAL], tmp_path)
    assert [f.quarantined for f in made.read] == [0, 1_005]
    assert made.rows["paysim_transactions"] == 70_386
