"""One generated world, shared by the module tests; nothing here is changed by a test."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from countersign.cli.payroll_generator import Delivery, generate

AS_OF = datetime(2026, 11, 21, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Delivered:
    """A delivery on disk, and its sources read back from the files it names."""

    out: Path
    delivery: Delivery
    sources: dict[str, pd.DataFrame]
    truth: pd.DataFrame

    @property
    def first(self) -> pd.DataFrame:
        """The payslips as first paid."""
        payslips = self.sources["payslips"]
        return payslips[payslips["revision"] == 0]


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    frame = pd.read_csv(path, keep_default_na=False)
    for name in frame.columns:
        if name.endswith(("_at", "_date", "_start", "_end")):
            frame[name] = pd.to_datetime(frame[name], format="%Y-%m-%dT%H:%M:%SZ", utc=True)
    return frame


@pytest.fixture(scope="session")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    out = tmp_path_factory.mktemp("payroll")
    made = generate(out, seed=7, workers=600, months=24, as_of=AS_OF)
    sources = {
        source: pd.concat([read(out / f.key) for f in made.files if f.source == source])
        for source in made.rows
    }
    return Delivered(out, made, sources, read(next((out / "truth").iterdir())))
