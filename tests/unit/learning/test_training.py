"""Reading a frozen dataset, refusing what cannot teach, and what training leaves behind."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from countersign.declare import CostMatrix, Hybrid, ModelSpec, Split
from countersign.errors import (
    ContractError,
    DataError,
    DigestMismatchError,
    LeakageError,
    TooFewRowsError,
)
from countersign.learning import threshold
from countersign.learning.dataset import SPLITS, Dataset, Rows, read_rows
from countersign.learning.training import Trained, train

from tests.unit.learning.cases import SMALL, dataset_objects, parquet, table, without


def opened(splits: dict[str, Any] | None = None) -> Dataset:
    objects = dataset_objects("d1", splits)
    return Dataset.open(objects.__getitem__, "d1", key="payslip_id")


def splits_of(dataset: Dataset) -> dict[str, Rows]:
    return {name: dataset.split(name) for name in SPLITS}


def rows_of(**columns: Any) -> dict[str, Rows]:
    """The usual splits, with `columns` replaced in the training rows."""
    made = {
        "train": {**table(900, seed=1), **columns},
        "valid": table(400, seed=2, first=900),
        "test": table(400, seed=3, first=1_300),
    }
    return splits_of(opened(made))


def test_rows_come_oldest_first_with_nulls_as_nan() -> None:
    columns = table(50)
    shuffled = {name: [values[i] for i in range(49, -1, -1)] for name, values in columns.items()}
    rows = read_rows(parquet(shuffled), key="payslip_id")
    assert rows.ids.tolist() == columns["payslip_id"]
    assert np.array_equal(rows.columns["z"], columns["z"], equal_nan=True)
    assert rows.label.tolist() == (columns["label"] == 1).tolist()
    assert rows.texts["country"].tolist() == columns["country"]
    assert rows.as_of[0] == int(columns["as_of"][0].timestamp() * 1e6)
    assert set(rows.columns) == {"mean_pay", "z", "changes"}


def test_a_split_that_is_not_the_frozen_one_is_refused() -> None:
    objects = dataset_objects("d1")
    objects["datasets/d1/train.parquet"] = parquet(table(900, seed=99))
    with pytest.raises(DigestMismatchError, match=r"train\.parquet"):
        Dataset.open(objects.__getitem__, "d1", key="payslip_id").split("train")


@pytest.mark.parametrize("name", ["payslip_id", "as_of", "label"])
def test_a_file_without_the_columns_of_a_dataset_is_refused(name: str) -> None:
    columns = table(20)
    if name == "as_of":
        columns = {**columns, "as_of_day": columns["as_of"]}
    body = {k: v for k, v in columns.items() if k != name}
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.table(body), buffer)
    with pytest.raises(ContractError, match=name):
        read_rows(buffer.getvalue(), key="payslip_id")


def test_a_label_that_is_neither_0_nor_1_is_refused() -> None:
    columns = table(20)
    columns["label"][3] = 2
    with pytest.raises(ContractError, match="label"):
        read_rows(parquet(columns), key="payslip_id")


def test_a_missing_input_is_refused_by_name() -> None:
    made = rows_of()
    fewer = {
        name: Rows(
            ids=r.ids,
            as_of=r.as_of,
            target=r.target,
            texts=r.texts,
            columns={k: v for k, v in r.columns.items() if k != "changes"},
        )
        for name, r in made.items()
    }
    with pytest.raises(ContractError, match="changes"):
        train(SMALL, fewer)


@pytest.mark.parametrize(
    ("column", "values", "reason"),
    [
        ("changes", np.full(900, 2.0), "every one is the same"),
        ("z", np.full(900, np.nan), "every one is null"),
    ],
)
def test_a_constant_or_all_null_feature_is_refused_with_what_to_do(
    column: str, values: Any, reason: str
) -> None:
    with pytest.raises(DataError, match=f"{column}.*{reason}.*UseCase.inputs"):
        train(SMALL, rows_of(**{column: values}))


@pytest.mark.parametrize(
    ("split", "reason"),
    [
        (Split(min_rows=5_000), "1700 labelled rows"),
        (Split(min_rows=1, min_positives=900), "positives"),
    ],
)
def test_too_few_rows_or_positives_are_refused_with_the_declared_minimum(
    split: Split, reason: str
) -> None:
    with pytest.raises(TooFewRowsError, match=reason):
        train(without(SMALL, split=split), rows_of())


def test_a_validation_split_without_positives_cannot_set_a_threshold() -> None:
    quiet = table(400, seed=2, first=900)
    quiet["label"][:] = 0
    made = {"train": table(900), "valid": quiet, "test": table(400, first=1_300)}
    with pytest.raises(TooFewRowsError, match="valid split has 0 positives"):
        train(SMALL, splits_of(opened(made)))


def test_a_row_in_two_splits_is_leakage() -> None:
    made = {"train": table(900), "valid": table(400, first=899), "test": table(400, first=1_300)}
    with pytest.raises(LeakageError, match="1 ids"):
        train(SMALL, splits_of(opened(made)))


def test_splits_that_overlap_in_time_are_leakage() -> None:
    late = table(900)
    late["as_of"] = table(900, first=800)["as_of"]
    made = {"train": late, "valid": table(400, first=900), "test": table(400, first=1_300)}
    with pytest.raises(LeakageError, match="overlap in time"):
        train(SMALL, splits_of(opened(made)))


def test_training_leaves_a_native_model_golden_vectors_and_a_serving_contract() -> None:
    trained = train(SMALL, rows_of())
    assert set(trained.files) == {"native.npz", "golden.npz"}
    serving = trained.serving
    assert serving["features"] == ["mean_pay", "z", "changes"]
    assert serving["request_time"] == ["z"]
    assert serving["fills"]["changes"] == 0.0
    assert abs(serving["fills"]["z"]) < 0.2
    assert [rule["code"] for rule in serving["rules"]] == ["FAR", "MANY"]
    assert 0 < serving["threshold"] < 1
    assert trained.split["train"]["rows"] == 900
    assert trained.split["test"]["from"] == "2025-02-24T04:00:00.000000Z"


def test_training_twice_gives_the_same_bytes() -> None:
    first, again = train(SMALL, rows_of()), train(SMALL, rows_of())
    assert first.files == again.files
    assert first.serving == again.serving


def test_the_test_rows_do_not_touch_the_model() -> None:
    other = rows_of()
    other["test"] = read_rows(parquet(table(400, seed=77, first=1_300)), key="payslip_id")
    first: Trained = train(SMALL, rows_of())
    assert first.serving == train(SMALL, other).serving
    assert first.files == train(SMALL, other).files


def test_rules_move_the_score_that_the_threshold_is_chosen_on() -> None:
    plain = train(
        without(SMALL, rules=(), hybrid=Hybrid(model_weight=1, rules_weight=0)), rows_of()
    )
    hybrid = train(SMALL, rows_of())
    assert plain.serving["threshold"] == plain.thresholds["model"]["value"]
    assert hybrid.serving["threshold"] != plain.serving["threshold"]
    assert hybrid.files == plain.files


def test_an_unknown_trainer_is_refused() -> None:
    with pytest.raises(DataError, match="crystal_ball"):
        train(without(SMALL, model=ModelSpec(trainer="crystal_ball")), rows_of())


def brute_force_cost(labels: Any, scores: Any, value: float, costs: CostMatrix) -> float:
    chosen = scores >= value
    return float(
        (labels & ~chosen).sum() * costs.false_negative_minor
        + (~labels & chosen).sum() * costs.false_positive_minor
        + (labels & chosen).sum() * costs.true_positive_minor
    )


@pytest.mark.parametrize("true_positive", [0, 300])
def test_the_threshold_is_the_cheapest_of_all(true_positive: int) -> None:
    random = np.random.default_rng(4)
    labels = random.uniform(size=400) < 0.1
    scores = np.round(random.uniform(size=400) * 0.6 + labels * 0.3, 2)
    costs = CostMatrix(
        false_negative_minor=900, false_positive_minor=100, true_positive_minor=true_positive
    )
    chosen = threshold.choose(labels, scores, costs)
    cheapest = min(brute_force_cost(labels, scores, v, costs) for v in [*np.unique(scores), 2.0])
    assert brute_force_cost(labels, scores, chosen.value, costs) == cheapest
    assert min(point["cost"] for point in chosen.cost_curve) == cheapest
    assert chosen.value not in scores
