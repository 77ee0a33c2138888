"""Payroll and what is trained only, each from a delivery to its verdict, step by step.

The figures are those of honest generated or published data, within what chance moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from countersign.cli import payroll_generator
from countersign.cli.importers import import_earnings, import_paysim, import_telco

from tests.unit.importers.published_files import DATA
from tests.unit.importers.test_earnings import write

from .yard import NOW, Trained, is_registered, is_rejected, machine, within

PUBLISHED = pytest.mark.skipif(
    not (DATA / "paysim_sample_51k_steps1-119.csv.gz").exists(),
    reason="needs the published files in ../shared/data beside the project",
)


def test_payroll_anomaly_trains(tmp_path: Path) -> None:
    with machine() as made:
        delivered = payroll_generator.generate(
            tmp_path, seed=12, workers=220, months=16, anomalies=0.04, as_of=NOW, batch_months=20
        )
        made.deliver(tmp_path, (file.key for file in delivered.files))
        made.build("payroll_anomaly")
        run = made.train("payroll_anomaly")
        is_registered(run)
        within(run, auc=(0.8, 1.0))


def test_annual_earnings_trains_on_published_pay_with_injected_errors(tmp_path: Path) -> None:
    years = [earnings(tmp_path, year, people=400) for year in range(2016, 2021)]
    with machine() as made:
        out = tmp_path / "out"
        imported = import_earnings(years, out, inject_rate=0.06)
        made.deliver(out, (file.key for file in imported.files))
        made.build("annual_earnings")
        run = made.train("annual_earnings")
        assert run.document()["model"]["kind"] == "isolation_forest"
        within(run, auc=(0.6, 1.0))


def earnings(folder: Path, year: int, *, people: int) -> Path:
    """A file of a year's pay: everybody's grows by a few percent."""
    rows = []
    for n in range(people):
        pay = (30_000 + 97 * n) * (1.02 + n % 5 / 100) ** (year - 2016)
        other = 100 * (n % 7)
        cells = (f'"Surname{n},Given"', f"Dept {n % 5}", "Clerk", f"{pay:.2f}", "", f"{other:.2f}")
        rows.append(",".join([*cells, *[""] * 4, f"{pay + other:.2f}", "021"]))
    return write(folder, year, *rows)


@PUBLISHED
def test_paysim_fraud_trains_on_the_published_sample(tmp_path: Path) -> None:
    file = "paysim_sample_51k_steps1-119"
    with imported("paysim_fraud", import_paysim, file, tmp_path) as run:
        is_registered(run)
        within(run, auc=(0.97, 1.0), average_precision=(0.9, 1.0), recall=(0.9, 1.0))
        assert run.stores.registry.version("paysim_fraud", "1.0.0").record.synthetic is False


@PUBLISHED
def test_the_head_of_paysim_has_too_few_frauds_in_its_last_fifth_to_pass(tmp_path: Path) -> None:
    """Three of 5 998 rows: the model ranks them well, and no precision can be shown with them."""
    with imported("paysim_fraud", import_paysim, "paysim_first_19999", tmp_path) as run:
        assert run.document()["split"]["test"]["positives"] == 3
        within(run, auc=(0.85, 1.0))
        is_rejected(run, "average_precision")


@PUBLISHED
def test_telco_churn_trains_and_is_rejected_for_how_it_treats_the_old(tmp_path: Path) -> None:
    """Every gate holds, and of the customers who stay it would trouble the old far more often."""
    with imported("telco_churn", import_telco, "telco_customer_churn", tmp_path) as run:
        within(run, auc=(0.82, 0.87), average_precision=(0.6, 0.7), recall=(0.5, 1.0))
        document = run.document()
        assert all(gate["passed"] for gate in document["gates"])
        assert document["fairness"]["groups"]["senior_citizen"]["verdict"] == "FAIL"
        is_rejected(run, "fairness")


@contextmanager
def imported(name: str, importer: Any, file: str, folder: Path) -> Iterator[Trained]:
    """A published file, delivered, built and trained from."""
    with machine() as made:
        out = folder / "out"
        delivered = importer([DATA / f"{file}.csv.gz"], out)
        made.deliver(out, (file.key for file in delivered.files))
        made.build(name)
        yield made.train(name)
