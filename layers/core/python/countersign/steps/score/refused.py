"""What was asked and could not be scored for the data's sake: a metric, and the day's count. Never an error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from countersign.aws.refusals import Refusals, Refused
from countersign.aws.stores import Stores
from countersign.aws.telemetry import count
from countersign.errors import CountersignError, StaleFeatureError


def tell(use_case: str, errors: Sequence[CountersignError], stores: Stores) -> None:
    """Count refusals for stale features, hindsight and blocked data; other errors are none of these."""
    refused = [error for error in errors if error.status == StaleFeatureError.status]
    for name, times in Counter(type(error).__name__ for error in refused).items():
        count("Refused", times=times, use_case=use_case, error=name)
    # A baseline that knows too much is no matter of age.
    stale = [error for error in refused if type(error) is StaleFeatureError]
    if stale:
        features = Counter(wrong.field for error in stale for wrong in error.errors)
        Refusals.of(stores).count(use_case, Refused(len(stale), features))
