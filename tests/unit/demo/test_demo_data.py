"""`make demo DATA=…` with files that are none: one line, exit 1, and nothing is started."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from countersign import use_cases
from countersign.cli.demo import real_data
from countersign.declare import UseCase

HEADER = (
    "NAME,DEPARTMENT_NAME,TITLE,REGULAR,RETRO,OTHER,OVERTIME,INJURED,DETAIL,"
    "QUINN/EDUCATION INCENTIVE,TOTAL EARNINGS,POSTAL"
)


def demo(data: Path, where: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "countersign.cli.demo", "--data", str(data)]
    return subprocess.run(
        command, cwd=where, capture_output=True, text=True, check=False, timeout=60
    )


def refused(data: Path, where: Path) -> str:
    ended = demo(data, where)
    assert ended.returncode == 1
    assert not (where / "build" / "demo" / "summary.json").exists()
    assert "ingest" not in ended.stdout
    (line,) = ended.stderr.splitlines()
    return line


def test_a_folder_without_earnings_files_says_what_is_expected(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing here")
    assert "*earnings*.csv" in refused(tmp_path, tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "is not a folder" in refused(tmp_path / "nowhere-2019", tmp_path)


def test_a_file_that_was_cut_short(tmp_path: Path) -> None:
    whole = gzip.compress(HEADER.encode())
    (tmp_path / "earnings_2016.csv.gz").write_bytes(whole[:-12])
    assert "earnings_2016.csv.gz cannot be unpacked" in refused(tmp_path, tmp_path)


def test_an_unknown_header_names_the_column_and_what_is_expected(tmp_path: Path) -> None:
    wrong = HEADER.replace("TOTAL EARNINGS", "GRAND TOTAL")
    (tmp_path / "earnings_2016.csv").write_text(f"{wrong}\n")
    line = refused(tmp_path, tmp_path)
    assert "earnings_2016.csv" in line
    assert "a column 'TOTAL EARNINGS'" in line
    assert "GRAND TOTAL: no such column" in line


def test_an_import_leaves_nothing_of_the_one_before(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    row = 'W1,Fire,Chief,"$10.00 ",,,,,,,"$10.00 ",021'
    (data / "earnings_2016.csv").write_text(f"{HEADER}\n{row}\n")
    real_data.read(data, out)
    (data / "earnings_2016.csv").rename(data / "earnings_2017.csv")
    imported = real_data.read(data, out)
    delivered = {str(f.relative_to(out)) for f in (out / "raw").rglob("*.parquet")}
    assert delivered == {file.key for file in imported.files}
    assert json.loads(imported.marker.read_text())["synthetic"] is True


@pytest.mark.parametrize("case", use_cases.trained_only().values(), ids=lambda case: case.name)
def test_what_is_only_trained_has_no_place_among_what_is_served(case: UseCase) -> None:
    assert case.name not in use_cases.all_use_cases()
    assert use_cases.get(case.name) is case
    assert {rule.when[0] for rule in case.rules} <= set(case.inputs)


def test_annual_earnings_is_payroll_anomaly_with_fewer_inputs() -> None:
    case, served = use_cases.get("annual_earnings"), use_cases.get("payroll_anomaly")
    assert set(case.inputs) <= {f.name for f in served.request_features} | {
        f.name for view in served.views for f in view.features
    }
    assert {rule.when[0] for rule in case.rules} <= set(case.inputs)
    assert case.gates == served.gates
