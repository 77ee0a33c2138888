"""`online_read`: the three views of one worker, 19 features, one BatchGetItem, unpacked. AWS answers
are canned at the HTTP layer: own time only.

The reference is what Feast's `get_online_features` took for such a row from its DynamoDB store, on the
machine where the promise was made.
"""

from __future__ import annotations

import os

from tests.benchmarks.canned import answer_with, recorded
from tests.benchmarks.measure import Measurement, percentiles

READS = 5000
PROMISED_MEDIAN_MS = 0.35
FEAST_MS = 1.55
VIEWS = ("worker_pay", "worker_changes", "worker_issues")


def run() -> list[Measurement]:
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    import pytest
    from countersign.features.packing import Unpacked, unpack

    from tests.unit.predictions.cloud import cloud
    from tests.unit.score.world import WORKER, World

    keys = [("worker", WORKER, view) for view in VIEWS]
    with pytest.MonkeyPatch.context() as patch:
        with cloud() as aws:
            world = World(aws, patch)
            with recorded("BatchGetItem") as seen:
                world.stores.online.read(keys)
        answer_with("BatchGetItem", seen[0])
        views = {view.name: view for view in world.use_case.views}

        def read() -> dict[str, Unpacked | None]:
            rows, _ = world.stores.online.read(keys)
            return {key[2]: unpack(views[key[2]], row.packed) for key, row in rows.items()}

        whole = read()
        assert sorted(whole) == sorted(VIEWS)
        assert all(whole.values())
        median, p99 = percentiles(read, repeat=READS)
    return [
        Measurement(
            name="online_read_median",
            value=median,
            unit="ms",
            reference="promise: 0.35 ms of its own time",
            reference_value=PROMISED_MEDIAN_MS,
            at_most=1.0,
        ),
        Measurement(
            name="online_read_p99",
            value=p99,
            unit="ms",
            reference="promise: 0.35 ms of its own time at the median",
            reference_value=PROMISED_MEDIAN_MS,
        ),
        Measurement(
            name="online_read_against_feast",
            value=median,
            unit="ms",
            reference="Feast get_online_features from DynamoDB (measured elsewhere)",
            reference_value=FEAST_MS,
            at_most=PROMISED_MEDIAN_MS / FEAST_MS,
        ),
    ]
