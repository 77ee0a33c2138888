"""Every declared use case, trained from its own record: the same files to the byte."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from countersign import use_cases
from countersign.declare import ModelSpec, UseCase
from countersign.learning import trainers
from countersign.learning.dataset import Dataset, Rows
from countersign.learning.spec import use_case_of
from countersign.learning.training import describe, train

HOUR = 3_600_000_000  # microseconds


def rows(use_case: UseCase, count: int, seed: int, first: int) -> Rows:
    """Numbers that tell a little of the label, for every column that training reads."""
    random = np.random.default_rng(seed)
    classes = len(use_case.label.classes)
    target = random.integers(0, classes, count) if classes else random.uniform(size=count) < 0.2
    read = dict.fromkeys([*use_case.inputs, *(rule.when[0] for rule in use_case.rules)])
    return Rows(
        ids=np.array([f"r{first + n}" for n in range(count)], dtype=object),
        as_of=np.arange(first, first + count) * HOUR,
        target=np.asarray(target, dtype=np.int64),
        columns={
            name: np.round(
                random.normal(size=count) + 0.4 * (n % 3) * np.asarray(target, dtype=np.float64), 3
            )
            for n, name in enumerate(read)
        },
        texts={},
    )


def small(spec: ModelSpec) -> ModelSpec:
    """The declared model with a few trees: how many there are changes nothing here."""
    settings = dict(spec.hyperparameters)
    if "n_estimators" in trainers.get(spec.trainer).DEFAULTS:
        settings["n_estimators"] = 6
    members = tuple(small(member) for member in spec.members)
    return replace(spec, hyperparameters=settings, members=members)


@pytest.mark.parametrize("name", sorted(u.name for u in use_cases.registered()))
def test_a_record_is_enough_to_train_the_same(name: str) -> None:
    use_case = use_cases.get(name)
    use_case = replace(use_case, model=small(use_case.model))
    splits = {
        "train": rows(use_case, 1_200, 1, 0),
        "valid": rows(use_case, 500, 2, 1_200),
        "test": rows(use_case, 500, 3, 1_700),
    }
    first = train(use_case, splits)
    frozen = Dataset("d", {"synthetic": False}, "digest", "key", (), lambda _: b"")
    record = json.loads(json.dumps(describe(use_case, frozen, first)))
    again = train(use_case_of(record), splits)
    assert again.files == first.files
    assert json.dumps(again.serving) == json.dumps(first.serving)
    assert again.hyperparameters == first.hyperparameters
