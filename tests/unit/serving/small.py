"""A use case as small as one can be."""

from __future__ import annotations

from datetime import timedelta

from countersign.declare import (
    Column,
    CostMatrix,
    Entity,
    Feature,
    FeatureView,
    Gate,
    Hybrid,
    Label,
    ModelSpec,
    RequestField,
    Rollout,
    Rule,
    Source,
    Split,
    UseCase,
    Window,
)

WORKER = Entity(name="worker", key="worker_id")
PAYSLIPS = Source(
    name="payslips",
    description="Payslips",
    owner="payroll",
    columns=(
        Column(name="worker_id", type="string"),
        Column(name="gross_pay_minor", type="integer"),
        Column(name="pay_date", type="date"),
        Column(name="known_at", type="timestamp"),
    ),
    key=("worker_id", "pay_date"),
    event_time="pay_date",
)
PAY = FeatureView(
    name="worker_pay",
    entity=WORKER,
    source=PAYSLIPS,
    description="Pay so far",
    owner="payroll",
    features=(
        Feature(
            name="gross_mean",
            description="Mean gross pay",
            aggregation="mean",
            expression="gross_pay_minor",
            window=Window(months=6),
            critical=True,
        ),
    ),
)
HIGH = Rule(
    code="HIGH", text="Pay is high", owner="payroll", when=("gross_mean", ">", 8.0), points=0.6
)
SMALL = UseCase(
    name="small",
    title="Small",
    owner="payroll",
    description="A use case for tests",
    api_path="/v1/small/score",
    spine=PAYSLIPS,
    entities=(WORKER,),
    views=(PAY,),
    request_features=(),
    request_fields=(RequestField(path="worker_id", type="string"),),
    inputs=("gross_mean",),
    label=Label(name="wrong", source=PAYSLIPS, join="worker_id", matures=timedelta(days=30)),
    model=ModelSpec(trainer="isolation_forest"),
    split=Split(),
    gates=(Gate("recall", at_least=0.5),),
    fairness=(),
    costs=CostMatrix(false_negative_minor=100, false_positive_minor=1),
    rules=(HIGH,),
    hybrid=Hybrid(model_weight=0.8, rules_weight=0.2),
    rollout=Rollout(cohort_column="country", cohorts=("DE", "FR")),
    autonomy="advisory",
    approval_class="standard",
)
