"""Every declared use case can be trained and judged by this room: names agree."""

from __future__ import annotations

import numpy as np
import pytest
from countersign import use_cases
from countersign.declare import UseCase
from countersign.learning import trainers
from countersign.learning.class_metrics import measure_classes
from countersign.learning.metrics import measure

BESIDES = {"score_psi", "latency_p95_ms"}
DECLARED = list(use_cases.all_use_cases().values())


@pytest.mark.parametrize("use_case", DECLARED, ids=lambda u: u.name)
def test_every_gate_names_a_metric_that_is_measured(use_case: UseCase) -> None:
    classes = use_case.label.classes
    if classes:
        target = np.arange(len(classes))
        found = set(measure_classes(target, np.eye(len(classes)), classes))
    else:
        labels, scores = np.array([0, 1, 0, 1]), np.array([0.1, 0.9, 0.4, 0.3])
        found = set(measure(labels, scores, 0.5, use_case.costs))
    measured = found | BESIDES
    assert {gate.metric for gate in use_case.gates} <= measured


@pytest.mark.parametrize("use_case", DECLARED, ids=lambda u: u.name)
def test_every_model_has_a_trainer_and_known_hyperparameters(use_case: UseCase) -> None:
    for spec in (use_case.model, *use_case.model.members):
        assert set(spec.hyperparameters) <= set(trainers.get(spec.trainer).DEFAULTS)


@pytest.mark.parametrize("use_case", DECLARED, ids=lambda u: u.name)
def test_every_input_and_rule_reads_a_declared_feature(use_case: UseCase) -> None:
    for name in (*use_case.inputs, *(rule.when[0] for rule in use_case.rules)):
        assert use_case.feature(name).name == name
