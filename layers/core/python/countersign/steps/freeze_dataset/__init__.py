"""Pass the data-quality gate and freeze a training set; or audit one that is frozen, value by value.

freeze  {use_case, run_id, as_of}             → the dataset; the default action
audit   {action: audit, use_case, dataset_id} → what of it is proven, leaks, is suspicious
"""

from __future__ import annotations

from dataclasses import dataclass

from countersign.aws.stores import Stores
from countersign.errors import FieldError, RequestError
from countersign.steps.freeze_dataset.audit import Audited, audit_dataset
from countersign.steps.freeze_dataset.freeze import Frozen, freeze

Result = Frozen
__all__ = ["Audited", "Frozen", "Request", "Result", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`as_of` is what the training was authorised for, ISO-8601 UTC."""

    use_case: str
    run_id: str = ""
    as_of: str = ""
    action: str = "freeze"
    dataset_id: str = ""


def run(request: Request, stores: Stores) -> Frozen | Audited:
    """Freeze or audit. Equal facts give the same dataset under the same name.

    Raises
    ------
    DataError      the gate did not hold; SyntheticDataError, TooFewRowsError, LeakageError say which
    NotFoundError  no such use case or dataset
    RequestError   an action nobody knows, or a field it needs
    """
    match request.action:
        case "freeze":
            _need(request, "run_id", "as_of")
            return freeze(stores, request.use_case, request.as_of)
        case "audit":
            _need(request, "dataset_id")
            return audit_dataset(stores, request.use_case, request.dataset_id)
    raise RequestError("Expected one of the actions freeze and audit")


def _need(request: Request, *names: str) -> None:
    missing = [FieldError(name, "a value") for name in names if not getattr(request, name)]
    if missing:
        raise RequestError(f"The action {request.action} needs more", errors=missing)
