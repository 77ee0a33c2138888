"""Which AWS failures are worth another try."""

from __future__ import annotations

from botocore import exceptions
from botocore.exceptions import ClientError

from countersign.errors import StoreUnavailableError, TransientError

_TRANSIENT = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


def as_transient(error: BaseException) -> TransientError | None:
    """The retryable error that an AWS failure amounts to, or None when a retry would not help."""
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        # A gateway that fails names no code, only a status.
        failed = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
        if failed or code in _TRANSIENT:
            return StoreUnavailableError(f"{error.operation_name} answered {code}; try again")
        return None
    if isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError):
        return StoreUnavailableError(
            f"AWS could not be reached ({type(error).__name__}); try again"
        )
    return None
