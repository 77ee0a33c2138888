"""PaySim fraud: which transactions of a PaySim file were fraud, judged before the money moves. Trained, never served."""

from datetime import timedelta

from countersign.declare import (
    ColumnType,
    CostMatrix,
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

from .features import DESTINATION_RECEIPTS, REQUEST_FEATURES
from .sources import DESTINATION, FRAUD_LABELS, LABEL_DELAY, LARGEST_MINOR, TRANSACTIONS, TYPES

_OWNER = "payments-risk"


def _text(path: str, description: str, kind: ColumnType = "string") -> RequestField:
    return RequestField(path=path, type=kind, description=description)


def _money(path: str, description: str, *, required: bool = True) -> RequestField:
    return RequestField(
        path=path,
        type="integer",
        required=required,
        minimum=0,
        maximum=LARGEST_MINOR,
        description=description,
    )


TRAINED_ONLY = UseCase(
    name="paysim_fraud",
    title="PaySim fraud",
    owner=_OWNER,
    description="Learns fraud from a PaySim file by what is known before the money moves; never on duty",
    api_path="/v1/paysim/fraud/score",
    spine=TRANSACTIONS,
    entities=(DESTINATION,),
    views=(DESTINATION_RECEIPTS,),
    request_features=REQUEST_FEATURES,
    request_fields=(
        _text("transaction_id", "The transaction"),
        _text("dest_account", "The account that receives"),
        _text("occurred_at", "The moment of the transaction", "timestamp"),
        _text("type", f"One of {', '.join(TYPES)}"),
        _money("amount_minor", "Minor units"),
        _money("orig_balance_before_minor", "What the sender has", required=False),
        _money("dest_balance_before_minor", "What the receiver has", required=False),
        # A file states these; a request cannot, because they are known only afterwards.
        _money("orig_balance_after_minor", "Only in files: no input uses it", required=False),
        _money("dest_balance_after_minor", "Only in files: no input uses it", required=False),
    ),
    inputs=(
        "paysim_type",
        "paysim_amount",
        "paysim_orig_balance_before",
        "paysim_dest_balance_before",
        "paysim_hour",
        "dest_receipt_count_1d",
        "dest_receipt_volume_1d",
        "dest_receipt_count_7d",
        "dest_receipt_volume_7d",
    ),
    label=Label(name="fraud", source=FRAUD_LABELS, join="transaction_id", matures=LABEL_DELAY),
    model=ModelSpec(
        trainer="xgboost_binary",
        # Not calibrated, so that the score has the scale of the rule points that it is added to.
        hyperparameters={
            "n_estimators": 200,
            "max_depth": 6,
            "learning_rate": 0.1,
            "calibration": "none",
        },
    ),
    split=Split(train=0.6, validate=0.2, min_rows=1_000, min_positives=30),
    gates=(
        Gate("auc", at_least=0.80),
        Gate("average_precision", at_least=0.20),
        Gate("recall", at_least=0.50),
        Gate("latency_p95_ms", at_most=200.0),
    ),
    # The file says nothing of people by which a group could be treated unlike another.
    fairness=(),
    costs=CostMatrix(false_negative_minor=10_000_000, false_positive_minor=100_000),
    rules=(
        Rule(
            code="TRANSFER",
            text="The money goes to another person's account",
            owner=_OWNER,
            when=("paysim_type", "==", float(TYPES.index("TRANSFER"))),
            points=0.5,
        ),
        Rule(
            code="CASH_OUT",
            text="The money leaves as cash",
            owner=_OWNER,
            when=("paysim_type", "==", float(TYPES.index("CASH_OUT"))),
            points=0.3,
        ),
        Rule(
            code="LARGE_AMOUNT",
            text="More than 200 000 at once",
            owner=_OWNER,
            when=("paysim_amount", ">", 20_000_000.0),
            points=0.3,
        ),
    ),
    hybrid=Hybrid(model_weight=0.9, rules_weight=0.1),
    rollout=Rollout(
        cohort_column="type",
        cohorts=("PAYMENT", "DEBIT", "CASH_IN", "CASH_OUT", "TRANSFER"),
        wait=timedelta(days=7),
        soak=timedelta(days=7),
        guards=(Gate("error_rate", at_most=0.01), Gate("latency_p95_ms", at_most=200.0)),
    ),
    autonomy="advisory",
    approval_class="fraud",
)
