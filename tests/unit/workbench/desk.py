"""Small files to train on, and the command as a person types it."""

from __future__ import annotations

import csv
import io
import random
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from countersign.cli.main import main

COLUMNS = ("id", "at", "age", "Plan Name", "spend", "country", "churned")
Row = dict[str, str]
QUICK = "model: xgboost_binary\nhyperparameters: {n_estimators: 20, max_depth: 3, nthread: 1}\n"
DATA = "data: {label: churned, key: id, time: at, groups: [country]}\n"


@dataclass(frozen=True)
class Typed:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line that says why; fails when there are more."""
        lines = [line for line in self.err.splitlines() if line.startswith("countersign: ")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0].removeprefix("countersign: ")


class Terminal:
    """A person at a terminal."""

    @staticmethod
    def type(*words: str | Path) -> Typed:
        """Type `countersign …` and read what it says."""
        out, err, code = io.StringIO(), io.StringIO(), 0
        with (
            patch.object(sys, "argv", ["countersign", *map(str, words)]),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as ended:
                code = int(ended.code or 0)
        return Typed(code, out.getvalue(), err.getvalue())


def rows(count: int = 900, seed: int = 3) -> list[Row]:
    """Customers in the order of time: the young on a basic plan leave more often."""
    drawn = random.Random(seed)
    made = []
    for n in range(count):
        age, plan = drawn.randint(18, 80), drawn.choice(["basic", "plus", "pro"])
        chance = min(0.95, max(0.02, 0.7 - age / 100 + (0.3 if plan == "basic" else -0.2)))
        made.append(
            {
                "id": f"c{n}",
                "at": f"2026-{1 + n // 150:02}-{1 + n % 150 // 6:02}T{n % 6:02}:00:00Z",
                "age": "" if n % 50 == 7 else str(age),
                "Plan Name": plan,
                "spend": f"{drawn.gauss(50, 20):.2f}",
                "country": drawn.choice(["BE", "NL"]),
                "churned": str(int(drawn.random() < chance)),
            }
        )
    return made


def write(path: Path, content: Sequence[Mapping[str, str]], columns: Sequence[str] = ()) -> Path:
    """A CSV of the rows."""
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, columns or list(content[0]))
        writer.writeheader()
        writer.writerows(content)
    return path


def text(path: Path, content: str) -> Path:
    """A text file."""
    path.write_text(content)
    return path


def paysim(path: Path) -> Path:
    """A PaySim file of fifty hours; one transaction in 25 is a fraud, and some accounts receive often."""
    made = []
    for n in range(1_200):
        fraud = n % 25 == 7
        made.append(
            {
                "step": str(1 + n // 24), "type": "TRANSFER" if fraud or n % 3 else "PAYMENT",
                "amount": f"{100 + 13 * n % 997}.{n % 100:02}", "nameOrig": f"C{n}",
                "oldbalanceOrg": str(100 + 7 * n % 1_000), "newbalanceOrig": "0",
                "nameDest": f"D{n * n % 61}", "oldbalanceDest": str(11 * n % 500),
                "newbalanceDest": "0", "isFraud": str(int(fraud)), "isFlaggedFraud": "0",
            }
        )  # fmt: skip
    return write(path, made)
