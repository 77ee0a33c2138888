"""What refuses to be learned from, by name and with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from countersign.declare import Split
from countersign.errors import ContractError, DataError, FieldError, LeakageError, TooFewRowsError
from countersign.learning.dataset import Rows


def check(
    splits: Mapping[str, Rows],
    *,
    inputs: Sequence[str],
    split: Split,
    classes: Sequence[str] = (),
) -> None:
    """Raise unless `train`, `valid` and `test` can teach and judge a model of `inputs`.

    Of `classes` each needs `min_positives` rows in all, and one in every split.

    Raises
    ------
    ContractError     an input is not a column
    TooFewRowsError   too few rows or positives in all, or a split that cannot judge
    LeakageError      a row in two splits, or a split that is not after the one before it
    DataError         an input that is constant or null throughout the training rows
    """
    absent = [n for n in inputs if any(n not in rows.columns for rows in splits.values())]
    if absent:
        raise ContractError(
            f"The dataset lacks the inputs {', '.join(absent)}; build the features and freeze it again",
            errors=[FieldError(name, "a column of the dataset") for name in absent],
        )
    if classes:
        _check_classes(splits, split, classes)
    else:
        _check_sizes(splits, split)
    _check_splits_apart(splits, split)
    _check_inputs(splits["train"], inputs)


def _check_sizes(splits: Mapping[str, Rows], split: Split) -> None:
    rows = sum(len(part) for part in splits.values())
    positives = sum(part.positives for part in splits.values())
    if rows < split.min_rows:
        raise TooFewRowsError(
            f"{rows} labelled rows where at least {split.min_rows} are declared; "
            "ingest more history, or lower Split.min_rows in the declaration"
        )
    if positives < split.min_positives:
        raise TooFewRowsError(
            f"{positives} positives where at least {split.min_positives} are declared; wait for more "
            "outcomes to be confirmed, or lower Split.min_positives in the declaration"
        )
    for name, part in splits.items():
        if name == "train" and not len(part):
            raise TooFewRowsError("The train split is empty; see Split.train in the declaration")
        if name != "train" and not 0 < part.positives < len(part):
            raise TooFewRowsError(
                f"The {name} split has {part.positives} positives in {len(part)} rows and can judge "
                "nothing; both classes are needed: ingest more history, or change Split's shares"
            )


def _check_classes(splits: Mapping[str, Rows], split: Split, classes: Sequence[str]) -> None:
    counts = {
        name: np.bincount(part.target, minlength=len(classes)) for name, part in splits.items()
    }
    total = np.sum(list(counts.values()), axis=0)
    if total.sum() < split.min_rows:
        raise TooFewRowsError(
            f"{total.sum()} labelled rows where at least {split.min_rows} are declared; "
            "ingest more history, or lower Split.min_rows in the declaration"
        )
    few = [f"{n} has {c}" for n, c in zip(classes, total, strict=True) if c < split.min_positives]
    few += [
        f"{name} has none in {part}"
        for part, count in counts.items()
        for name, c in zip(classes, count, strict=True)
        if c == 0
    ]
    if few:
        raise TooFewRowsError(
            f"Too few rows of a class ({split.min_positives} each are declared, and one in every "
            f"split): {'; '.join(few)}. Ingest more history, or declare fewer classes"
        )


def _check_splits_apart(splits: Mapping[str, Rows], split: Split) -> None:
    parts = [splits[name] for name in ("train", "valid", "test")]
    every = np.concatenate([part.ids for part in parts])
    repeated = len(every) - len(set(every.tolist()))
    if repeated:
        raise LeakageError(
            f"{repeated} ids stand more than once in the splits; remove duplicates and freeze again"
        )
    if split.order == "time":
        for earlier, later in pairwise(parts):
            if earlier.as_of.max() > later.as_of.min():
                raise LeakageError("The splits overlap in time; freeze the dataset again by time")


def _check_inputs(train: Rows, inputs: Sequence[str]) -> None:
    wrong = []
    for name in inputs:
        values = train.columns[name][~np.isnan(train.columns[name])]
        if not len(values):
            wrong.append(FieldError(name, "a value in some training row; every one is null"))
        elif values.min() == values.max():
            wrong.append(FieldError(name, "two distinct values; every one is the same"))
    if wrong:
        named = "; ".join(f"{error.field}: {error.expected}" for error in wrong)
        raise DataError(
            f"Nothing can be learned from {named}. Mend its source, or take it out of UseCase.inputs",
            errors=wrong,
        )
