"""Telco churn: which customers of a published snapshot left. Trained, never served.

The file has no time, so there is nothing to split by time: every row has the same moment and the split is
stratified. What it measures is how well customers like these are told apart, not how well the future is.
Gender and age are no inputs; they are the groups that must be treated alike.
"""

from datetime import timedelta

from countersign.declare import (
    ColumnType,
    CostMatrix,
    FairnessGroup,
    Gate,
    Hybrid,
    Label,
    ModelSpec,
    RequestField,
    Rollout,
    Rule,
    Split,
    UseCase,
)

from .features import REQUEST_FEATURES
from .sources import CHURN_LABELS, CONTRACTS, CUSTOMER, CUSTOMERS, LABEL_DELAY

_OWNER = "customer-success"
_NEVER_ASKED = {"gender", "senior_citizen", "known_at"}
_KINDS: dict[str, ColumnType] = {c.name: c.type for c in CUSTOMERS.columns}

TRAINED_ONLY = UseCase(
    name="telco_churn",
    title="Telco churn",
    owner=_OWNER,
    description="Learns churn from a published snapshot of customers; never on duty",
    api_path="/v1/telco/churn/predict",
    spine=CUSTOMERS,
    entities=(CUSTOMER,),
    views=(),
    request_features=REQUEST_FEATURES,
    request_fields=tuple(
        RequestField(path=name, type=kind, required=name != "total_charges_minor")
        for name, kind in _KINDS.items()
        if name not in _NEVER_ASKED
    ),
    inputs=tuple(feature.name for feature in REQUEST_FEATURES),
    label=Label(name="churn", source=CHURN_LABELS, join="customer_id", matures=LABEL_DELAY),
    model=ModelSpec(
        trainer="xgboost_binary",
        hyperparameters={"n_estimators": 200, "max_depth": 4, "learning_rate": 0.05},
    ),
    split=Split(train=0.6, validate=0.2, order="stratified", min_rows=1_000, min_positives=100),
    gates=(
        Gate("auc", at_least=0.80),
        Gate("average_precision", at_least=0.55),
        Gate("recall", at_least=0.50),
        Gate("latency_p95_ms", at_most=200.0),
    ),
    fairness=(FairnessGroup(column="gender"), FairnessGroup(column="senior_citizen")),
    costs=CostMatrix(false_negative_minor=40_000, false_positive_minor=8_000, currency="USD"),
    rules=(
        Rule(
            code="NEW_AND_UNBOUND",
            text="A customer for less than half a year",
            owner=_OWNER,
            when=("telco_tenure_months", "<", 6.0),
            points=0.4,
        ),
        Rule(
            code="MONTH_TO_MONTH",
            text="The contract ends any month",
            owner=_OWNER,
            when=("telco_contract", "==", float(CONTRACTS.index("month_to_month"))),
            points=0.4,
        ),
    ),
    hybrid=Hybrid(model_weight=0.9, rules_weight=0.1),
    rollout=Rollout(
        cohort_column="contract",
        cohorts=("two_year", "one_year", "month_to_month"),
        wait=timedelta(days=7),
        soak=timedelta(days=7),
        guards=(Gate("error_rate", at_most=0.01), Gate("latency_p95_ms", at_most=200.0)),
    ),
    autonomy="advisory",
    approval_class="standard",
)
