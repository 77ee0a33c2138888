"""What a desk trains on is what the machine would: the same rows, splits and values, to the last byte."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from countersign import use_cases
from countersign.cli.importers import import_paysim, import_telco
from countersign.features import duck
from countersign.workbench.delivery import delivered_files, freeze_delivery
from countersign.workbench.folder import read_manifest

from tests.unit.features.cloud import Cloud
from tests.unit.importers import test_telco as telco
from tests.unit.importers.published_files import write
from tests.unit.importers.test_published_training import frozen, paysim_slice, take_in

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def rows_of(*files: Path) -> list[tuple[object, ...]]:
    with duck.connect() as connection:
        found = connection.execute(
            f"SELECT * REPLACE (epoch_us(as_of) AS as_of) FROM {duck.parquet(files)} ORDER BY ALL"
        )
        return list(found.fetchall())


@pytest.mark.parametrize("name", ["paysim_fraud", "telco_churn"])
def test_a_desk_freezes_the_dataset_that_the_machine_freezes(
    name: str, aws: Cloud, tmp_path: Path
) -> None:
    if name == "paysim_fraud":
        made = import_paysim([paysim_slice(tmp_path)], tmp_path / "out")
    else:
        texts = [
            telco.row(n, tenure=str(n % 70), Churn="Yes" if n % 4 == 1 else "No").replace(
                "29.85", f"{20 + n}.85"
            )
            for n in range(1_200)
        ]
        made = import_telco([write(tmp_path / "a.csv", telco.HEADER, *texts)], tmp_path / "out")
    take_in(aws, made, tmp_path / "out")
    result, machine, _ = frozen(aws, name, tmp_path)
    freeze_delivery(
        use_cases.get(name), delivered_files(tmp_path / "out"), tmp_path / "desk",
        now=aws.clock.now(), as_of=aws.clock.now(),
    )  # fmt: skip
    desk = read_manifest(tmp_path / "desk")
    for split in ("train", "valid", "test"):
        (theirs,) = aws.stores.lake.download(
            [f"datasets/{result.dataset_id}/{split}.parquet"], tmp_path / "machine"
        )
        assert rows_of(tmp_path / "desk" / f"{split}.parquet") == rows_of(theirs)
    # The machine also says which objects of its lake it read.
    assert desk == {name: fact for name, fact in machine.items() if name != "inputs"}
    assert desk["dataset_id"] == result.dataset_id


def test_equal_files_freeze_to_equal_bytes_whatever_the_day(tmp_path: Path) -> None:
    import_paysim([paysim_slice(tmp_path)], tmp_path / "out")
    files = delivered_files(tmp_path / "out")
    for year, place in ((2026, "one"), (2027, "two")):
        freeze_delivery(
            use_cases.get("paysim_fraud"), files, tmp_path / place, now=NOW.replace(year=year)
        )
    for name in ("manifest.json", "train.parquet", "valid.parquet", "test.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
