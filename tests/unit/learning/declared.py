"""A small use case, declared."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from countersign.declare import (
    CostMatrix,
    Entity,
    FairnessGroup,
    Feature,
    FeatureView,
    Gate,
    Hybrid,
    Label,
    ModelSpec,
    RequestFeature,
    Rollout,
    Rule,
    Source,
    Split,
    UseCase,
)

WORKER = Entity(name="worker", key="worker_id")


def _source(name: str) -> Source:
    return Source(
        name=name, description="", owner="", columns=(), key=("payslip_id",), event_time="pay_date"
    )


def _no_value(_row: Any, _features: Any) -> None:
    return None


SMALL = UseCase(
    name="small",
    title="Small",
    owner="tests",
    description="A use case of three inputs.",
    api_path="/v1/small/score",
    spine=_source("payslips"),
    entities=(WORKER,),
    views=(
        FeatureView(
            name="pay",
            entity=WORKER,
            source=_source("payslips"),
            description="",
            owner="",
            features=(
                Feature(name="mean_pay", description="", aggregation="mean"),
                Feature(name="changes", description="", aggregation="count", nulls="zero"),
            ),
        ),
    ),
    request_features=(
        RequestFeature(name="z", description="", owner="", compute=_no_value, nulls="keep"),
    ),
    request_fields=(),
    inputs=("mean_pay", "z", "changes"),
    label=Label(
        name="error", source=_source("payroll_errors"), join="payslip_id", matures=timedelta(45)
    ),
    model=ModelSpec(trainer="isolation_forest", hyperparameters={"n_estimators": 40}),
    split=Split(min_rows=200, min_positives=10),
    gates=(Gate("auc", at_least=0.7),),
    fairness=(FairnessGroup(column="country", minimum_rows=50),),
    costs=CostMatrix(false_negative_minor=50_000, false_positive_minor=2_000),
    rules=(
        Rule(code="FAR", text="Far off", owner="ops", when=("z", ">", 4.0), points=1.0),
        Rule(code="MANY", text="Many changes", owner="ops", when=("changes", ">=", 4), points=0.5),
    ),
    hybrid=Hybrid(model_weight=0.8, rules_weight=0.2),
    rollout=Rollout(cohort_column="country", cohorts=("PT", "NL", "DE")),
    autonomy="advisory",
    approval_class="model",
)
