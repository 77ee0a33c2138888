"""What tells rows apart, and what tells answers apart."""

from __future__ import annotations

from countersign import use_cases
from countersign.learning.dataset import read_rows
from countersign.steps.register.birth import output_schema_digest

from tests.unit.learning.cases import parquet, table


def test_rows_are_told_apart_by_every_column_of_the_key() -> None:
    columns = table(40)
    rows = read_rows(parquet(columns), key=("payslip_id", "worker_id"))
    expected = zip(columns["payslip_id"], columns["worker_id"], strict=True)
    assert rows.ids.tolist() == [f"{slip}|{worker}" for slip, worker in expected]


def test_what_an_answer_recommends_is_part_of_its_schema() -> None:
    digests = {output_schema_digest(use_cases.get(n)) for n in ("fraud", "retry", "recovery")}
    assert len(digests) == 3
