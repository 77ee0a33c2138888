"""Everything that can go wrong, by name. State machines catch these names; the API maps them to a status.

CountersignError
├── DataError                    422  the data cannot be used, and why
│   ├── RequestError             400  the request itself is malformed
│   ├── ContractError            422  a file or row breaks its source's contract
│   ├── LeakageError             422  a value was not known at its as-of time
│   ├── SyntheticDataError       422  synthetic data outside the local environment
│   └── TooFewRowsError          422  not enough rows or positives to learn or judge
├── GateError                    422  a declared gate did not hold
├── NotFoundError                404  no such thing for this caller
├── ConflictError                409  the state changed, or the change was made already
│   ├── EpochConflictError       409  the pointer moved since it was read
│   ├── AlreadyDecidedError      409  the approval has been decided by this role
│   └── IdempotencyConflictError 409  another body under the same idempotency key
├── ForbiddenError               403  this identity may not do this
│   ├── SelfApprovalError        403  nobody approves their own change
│   └── RoleError                403  the role the action needs is not held
├── ExpiredError                 410  the deadline has passed
├── StaleFeatureError            424  a critical feature is stale, missing or from the future
│   └── HindsightError           424  a baseline already knows what is to be scored
├── QualityBlockError            424  an alert questions the data, and nobody has lifted its block
├── ArtifactError                409  an artifact cannot be trusted or used
│   ├── DigestMismatchError      409  bytes differ from the recorded SHA-256
│   ├── SignatureError           409  the manifest's signature does not verify
│   └── ExportError              409  ONNX would not equal the native model
└── TransientError               503  try again; nothing was changed
    ├── StoreUnavailableError    503  a store did not answer whole in time
    └── PredictionLogError       503  the answer could not be logged, so it was not given
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """Where a value was wrong and what was expected. Never the value: it may be pay data."""

    field: str
    expected: str
    row: int | None = None


class CountersignError(Exception):
    """The root: `detail` says what was wrong, where, and what to do."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str, *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)

    def problem(self, request_id: str) -> dict[str, Any]:
        """The RFC 9457 body of this error."""
        return {
            "type": f"urn:countersign:problem:{slug(type(self).__name__)}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
            "retryable": self.retryable,
            "errors": [
                {k: v for k, v in asdict(error).items() if v is not None} for error in self.errors
            ],
        }


def slug(class_name: str) -> str:
    """`EpochConflictError` → `epoch-conflict`."""
    words = "".join(f"-{c.lower()}" if c.isupper() else c for c in class_name)
    return words.strip("-").removesuffix("-error")


class DataError(CountersignError):
    status = 422
    title = "The data cannot be used"


class RequestError(DataError):
    status = 400
    title = "The request is malformed"


class ContractError(DataError):
    title = "The data breaks its contract"


class LeakageError(DataError):
    title = "A value was not known at its as-of time"


class SyntheticDataError(DataError):
    title = "Synthetic data is for the local environment only"


class TooFewRowsError(DataError):
    title = "Not enough rows"


class GateError(CountersignError):
    status = 422
    title = "A gate did not hold"


class NotFoundError(CountersignError):
    status = 404
    title = "Not found"


class ConflictError(CountersignError):
    status = 409
    title = "Conflict with the current state"


class EpochConflictError(ConflictError):
    title = "The pointer moved since it was read"


class AlreadyDecidedError(ConflictError):
    title = "Already decided"


class IdempotencyConflictError(ConflictError):
    title = "Another body under the same idempotency key"


class ForbiddenError(CountersignError):
    status = 403
    title = "Not allowed"


class SelfApprovalError(ForbiddenError):
    title = "Nobody approves their own change"


class RoleError(ForbiddenError):
    title = "The role this needs is not held"


class ExpiredError(CountersignError):
    status = 410
    title = "The deadline has passed"


class StaleFeatureError(CountersignError):
    status = 424
    title = "A critical feature cannot be used"


class HindsightError(StaleFeatureError):
    title = "A baseline already knows what is to be scored"


class QualityBlockError(CountersignError):
    status = 424
    title = "Scoring is blocked by a data-quality alert"


class ArtifactError(CountersignError):
    status = 409
    title = "The artifact cannot be used"


class DigestMismatchError(ArtifactError):
    title = "Bytes differ from the recorded digest"


class SignatureError(ArtifactError):
    title = "The signature does not verify"


class ExportError(ArtifactError):
    title = "The export does not equal the native model"


class TransientError(CountersignError):
    status = 503
    title = "Try again"
    retryable = True


class StoreUnavailableError(TransientError):
    title = "A store did not answer whole in time"


class PredictionLogError(TransientError):
    title = "The answer could not be logged"
