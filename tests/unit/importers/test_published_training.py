"""From a published CSV to a frozen training set, through the steps that a delivery goes through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from countersign import use_cases
from countersign.cli.importers import Delivered, import_paysim, import_telco
from countersign.clock import iso
from countersign.features import duck
from countersign.steps import build_features, freeze_dataset, ingest

from tests.unit.features.cloud import Cloud

from . import test_telco as telco
from .published_files import DATA, line, write
from .test_paysim import ANN, HEADER, NAMES

HUB = "C-hub"


def paysim_slice(folder: Path) -> Path:
    """Forty hours of thirty transactions; one in 25 is a fraud, and an account receives in the open."""
    rows = []
    for number in range(1_200):
        step, fraud = 1 + number // 30, number % 25 == 7
        rows.append(
            ANN
            | {
                "step": str(step),
                "type": "TRANSFER" if fraud or number % 3 else "PAYMENT",
                "amount": f"{100 + number}.{number % 100:02}",
                "nameOrig": f"C{number}",
                "nameDest": f"D{number % 400}",
                "oldbalanceOrg": str(100 + 7 * number % 1_000),
                "oldbalanceDest": str(11 * number % 500),
                "isFraud": "1" if fraud else "0",
            }
        )
    receipts = {1: "100.00", 2: "200.00", 26: "400.00", 40: "800.00"}
    rows += [
        ANN | {"step": str(step), "amount": amount, "nameDest": HUB, "isFraud": "0"}
        for step, amount in receipts.items()
    ]
    rows.append(ANN | {"step": "26", "amount": "1.00", "nameDest": HUB, "isFraud": "0"})
    return write(folder / "slice.csv", HEADER, *(line(row, NAMES) for row in rows))


def take_in(aws: Cloud, made: Delivered, out: Path) -> None:
    """Upload and ingest every file of a delivery."""
    for file in made.files:
        aws.stores.raw.put(file.key, (out / file.key).read_bytes())
    waiting = ingest.run(ingest.Request(action="pending"), aws.stores)
    assert isinstance(waiting, ingest.Pending)
    assert sorted(waiting.keys) == sorted(file.key for file in made.files)
    for file in made.files:
        found = ingest.run(ingest.Request(key=file.key), aws.stores)
        assert isinstance(found, ingest.Result)
        assert (found.status, found.rows, found.bad_rows) == ("accepted", file.rows, 0)


def frozen(aws: Cloud, name: str, folder: Path) -> tuple[Any, dict[str, Any], list[dict[str, Any]]]:
    """Build the use case's views and freeze it: the result, the manifest, the rows of all splits."""
    now = iso(aws.clock.now())
    for view in use_cases.get(name).views:
        for bucket in range(view.entity.buckets):
            request = build_features.Request(
                action="build",
                view=view.name,
                as_of=now,
                bucket=bucket,
                buckets=view.entity.buckets,
            )
            build_features.run(request, aws.stores)
    result = freeze_dataset.run(
        freeze_dataset.Request(use_case=name, run_id="run-1", as_of=now), aws.stores
    )
    assert isinstance(result, freeze_dataset.Result)
    place = f"datasets/{result.dataset_id}"
    manifest = aws.stores.lake.read_json(f"{place}/manifest.json")
    keys = [f"{place}/{split}.parquet" for split in ("train", "valid", "test")]
    files = aws.stores.lake.download(keys, folder / "frozen")
    with duck.connect() as connection:
        found = connection.execute(f"SELECT * EXCLUDE (as_of) FROM {duck.parquet(files)}")
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return result, manifest, rows


def test_a_paysim_file_becomes_a_training_set(aws: Cloud, tmp_path: Path) -> None:
    made = import_paysim([paysim_slice(tmp_path)], tmp_path / "out")
    take_in(aws, made, tmp_path / "out")
    result, manifest, rows = frozen(aws, "paysim_fraud", tmp_path)
    assert (result.rows, result.positives) == (1_205, 48)
    assert result.train_rows + result.valid_rows + result.test_rows == 1_205
    assert min(result.train_rows, result.valid_rows, result.test_rows) > 200
    assert manifest["features"] == list(use_cases.get("paysim_fraud").inputs)
    assert manifest["synthetic"] is False
    assert manifest["leakage_audit"]["suspicious"] == []
    hub = sorted(
        (
            row["paysim_amount"] / 100,
            row["dest_receipt_count_1d"],
            row["dest_receipt_volume_1d"],
            row["dest_receipt_count_7d"],
            row["dest_receipt_volume_7d"],
        )
        for row in rows
        if row["dest_account"] == HUB
    )
    # An hour's transactions do not see each other; 24 hours before the hour 26 is the hour 2, which counts.
    assert hub == [
        (1.0, 1.0, 20_000.0, 2.0, 30_000.0),
        (100.0, None, None, None, None),
        (200.0, 1.0, 10_000.0, 1.0, 10_000.0),
        (400.0, 1.0, 20_000.0, 2.0, 30_000.0),
        (800.0, 2.0, 40_100.0, 4.0, 70_100.0),
    ]


def test_a_telco_file_becomes_a_training_set(aws: Cloud, tmp_path: Path) -> None:
    rows = [
        telco.row(number, tenure=str(number % 70), Churn="Yes" if number % 4 == 1 else "No")
        for number in range(1_200)
    ]
    # So that no two customers are alike: many equal rows under new keys are a delivery that came twice.
    texts = [text.replace("29.85", f"{20 + n}.85") for n, text in enumerate(rows)]
    made = import_telco([write(tmp_path / "a.csv", telco.HEADER, *texts)], tmp_path / "out")
    take_in(aws, made, tmp_path / "out")
    result, manifest, found = frozen(aws, "telco_churn", tmp_path)
    assert (result.rows, result.positives) == (1_200, 300)
    assert (result.train_rows, result.valid_rows, result.test_rows) == (720, 240, 240)
    assert manifest["split"] == {"order": "stratified", "by": "label"}
    splits = aws.stores.lake.download(
        [f"datasets/{result.dataset_id}/{name}.parquet" for name in ("train", "valid", "test")],
        tmp_path / "splits",
    )
    with duck.connect() as connection:
        left = [
            connection.execute(
                f"SELECT count(*) FROM {duck.parquet([file])} WHERE label"
            ).fetchone()
            for file in splits
        ]
    assert left == [(180,), (60,), (60,)]
    assert len({r["customer_id"] for r in found}) == 1_200
    assert not {"gender", "senior_citizen"} & set(manifest["features"])
    (row,) = (r for r in found if r["customer_id"] == "0034-BOB")
    assert row["telco_tenure_months"] == 34.0
    assert row["telco_total_charges"] == 188_950.0
    assert row["telco_mean_to_monthly_charge"] == pytest.approx(1889.5 / 34 / 54.85)
    assert (row["telco_contract"], row["telco_payment_method"]) == (0.0, 2.0)
    assert (row["telco_multiple_lines"], row["telco_partner"]) == (2.0, 1.0)
    (new,) = (r for r in found if r["customer_id"] == "0000-BOB")
    assert new["telco_mean_to_monthly_charge"] is None


@pytest.mark.skipif(
    not (DATA / "paysim_first_19999.csv.gz").exists(),
    reason="needs the PaySim files in ../shared/data beside the project",
)
def test_the_published_paysim_head_becomes_a_training_set(aws: Cloud, tmp_path: Path) -> None:
    made = import_paysim([DATA / "paysim_first_19999.csv.gz"], tmp_path / "out")
    take_in(aws, made, tmp_path / "out")
    result, manifest, _ = frozen(aws, "paysim_fraud", tmp_path)
    assert (result.rows, result.positives) == (19_999, 81)
    assert manifest["leakage_audit"]["suspicious"] == []
