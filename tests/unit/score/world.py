"""A small world to score in: one worker with fresh features, two signed versions, a pointer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from countersign import entry, use_cases
from countersign.aws.attributes import marshal_item
from countersign.aws.online import OnlineRow
from countersign.aws.session import client
from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.declare import Feature
from countersign.features.aggregations import MOMENTS
from countersign.features.packing import pack
from countersign.serving.rules import rules_to_json
from countersign.steps import score, shadow_score

from tests.unit.predictions.cloud import NOW, Cloud
from tests.unit.predictions.gateway import proxy_event
from tests.unit.score.pointers import pointer_item
from tests.unit.serving.models import manifest_of, served_files

USE_CASE = "payroll_anomaly"
PATH = use_cases.get(USE_CASE).api_path
WORKER, CLIENT, COUNTRY = "W-000001", "C-0001", "DE"
IDS = {"worker": WORKER, "client": CLIENT, "country": COUNTRY}
PAY_DAY = datetime(2026, 11, 30, tzinfo=UTC)
CRITICAL_VIEW = "worker_pay"
# The model's input that the tests set: a feature of a view that no rule looks at.
DECISIVE = "exception_count_rolling_10d"
# Another input: deduction lines of the payslip less the mean.
OTHER, OTHER_MEAN = "deduction_lines_delta", "worker_deduction_lines_6m_mean"
USUAL: dict[str, float | None] = {
    "worker_gross_pay_6m_mean": 324_000.0,
    "worker_gross_pay_6m_std": 2_500.0,
    "worker_net_to_gross_ratio_trend": 0.0,
    "worker_net_to_gross_ratio_6m_mean": 0.65,
    "worker_regular_pay_6m_mean": 324_000.0,
    "worker_last_regular_pay": 325_000.0,
    OTHER_MEAN: 4.0,
    "worker_bonus_13m_max": 0.0,
    "worker_payslip_count_12m": 12.0,
    "worker_days_since_last_payslip": 30.0,
    "worker_days_since_period_end": 30.0,
    "worker_days_since_change": 400.0,
    "worker_days_since_hire": 900.0,
    "worker_days_since_leave": None,
    "worker_days_since_raise": None,
    "country_avg_gross_pay": 310_000.0,
}
UNSIGNED = b"not a signature"


class World:
    """Everything a scoring request meets, and every way to disturb it."""

    def __init__(self, aws: Cloud, patch: pytest.MonkeyPatch) -> None:
        self.stores: Stores = aws.stores
        self.clock = aws.clock
        self.use_case = use_cases.get(USE_CASE)
        self.digests: dict[str, str] = {}
        self.features: dict[str, dict[str, float | None]] = {
            view.name: {f.name: USUAL.get(f.name, 0.0) for f in view.features}
            for view in self.use_case.views
        }
        self.newest = {view.name: NOW - timedelta(hours=6) for view in self.use_case.views}
        self.carried = {"client_id": CLIENT, "country": COUNTRY}
        self._patch = patch
        patch.setattr(entry, "worker_stores", lambda: self.stores)
        self.handle = entry.api(score.ROUTES)
        for view in self.features:
            self.write(view)
        self.publish("1.0.0", low=0.2, high=0.8)
        self.publish("1.1.0")
        self.point(champion="1.1.0", previous=["1.0.0"], epoch=4)

    # ---- what is stored

    def write(self, view: str) -> None:
        """Put the view's row as `features` and `newest` say."""
        declared = next(v for v in self.use_case.views if v.name == view)
        newest = self.newest[view].timestamp() * 1e6
        stored = [self._stored(f, self.features[view][f.name]) for f in declared.features]
        at = iso(self.newest[view])
        row = OnlineRow(
            packed=pack(declared, [*stored, *(newest for _ in declared.sources())]),
            event_at=at,
            known=at,
            built=iso(NOW),
            digest="d",
            expires=int((NOW + timedelta(days=800)).timestamp()),
            ids=self.carried if view == CRITICAL_VIEW else {},
        )
        self.drop(view)
        identity = IDS[declared.entity.name]
        assert self.stores.online.write(declared.entity.name, view, [(identity, row)]) == [True]

    def _stored(self, feature: Feature, value: float | None) -> float | None:
        """Days since a moment are stored as the moment."""
        if value is None or feature.aggregation not in MOMENTS:
            return value
        return (PAY_DAY - timedelta(days=value)).timestamp() * 1e6

    def set_feature(self, name: str, value: float | None) -> None:
        view = next(v for v, row in self.features.items() if name in row)
        self.features[view][name] = value
        self.write(view)

    def set_other(self, value: float) -> None:
        """Make the model's other input `value`."""
        self.set_feature(OTHER_MEAN, self.body()["payslip"]["deduction_lines"] - value)

    def age(self, view: str, by: timedelta) -> None:
        """Make the newest fact of a view as old as `by` says; negative is in the future."""
        self.newest[view] = NOW - by
        self.write(view)

    def drop(self, view: str) -> None:
        client("dynamodb").delete_item(TableName="online", Key=self._key(view))

    def forget_ids(self) -> None:
        """The worker's record names nobody else any more."""
        self.carried = {}
        self.write(CRITICAL_VIEW)

    def _key(self, view: str) -> dict[str, Any]:
        declared = next(v for v in self.use_case.views if v.name == view)
        identity = IDS[declared.entity.name]
        return marshal_item({"pk": f"{declared.entity.name}#{identity}", "sk": view})

    def publish(
        self,
        version: str,
        *,
        low: float = 0.25,
        high: float = 0.75,
        decisive: str = DECISIVE,
        signed: bool = True,
    ) -> None:
        """A signed version whose model looks at one feature."""
        folder = f"{USE_CASE}/{version}"
        rules = rules_to_json(self.use_case.rules)
        files = served_files(
            self.use_case.inputs, rules=rules, low=low, high=high, decisive=decisive
        )
        for name, content in files.items():
            self.stores.artifacts.put(f"{folder}/{name}", content)
        manifest = {"version": version, **manifest_of(files)}
        self.digests[version] = self.stores.artifacts.seal(folder, manifest)
        if not signed:
            self.stores.artifacts.put(f"{folder}/manifest.sig", UNSIGNED)

    def point(
        self,
        *,
        champion: str,
        epoch: int,
        previous: Sequence[str] = (),
        rollout: str = "",
        cohorts: Sequence[str] = (),
        shadows: Sequence[str] = (),
        **changes: Any,
    ) -> None:
        """Write the pointer."""
        pinned = self._pinned
        item = pointer_item(
            USE_CASE,
            champion=pinned(champion),
            epoch=epoch,
            previous=[pinned(version) for version in previous],
            rollout={
                **pinned(rollout), "rollout_id": "r-1", "cohorts": list(cohorts), "step": 1,
            } if rollout else None,
            shadows=[pinned(version) for version in shadows],
            **changes,
        )  # fmt: skip
        client("dynamodb").put_item(TableName="registry", Item=item)

    def unpoint(self) -> None:
        key = marshal_item({"pk": f"model#{USE_CASE}", "sk": "pointer"})
        client("dynamodb").delete_item(TableName="registry", Key=key)

    def _pinned(self, version: str) -> dict[str, str]:
        return {"version": version, "digest": self.digests.get(version, "0" * 64)}

    # ---- what is asked

    def body(self, **changes: Any) -> dict[str, Any]:
        body: dict[str, Any] = {
            "worker_id": WORKER,
            "client_id": CLIENT,
            "country": COUNTRY,
            "payslip": {
                "payslip_id": "P-0000001",
                "period_start": "2026-11-01",
                "period_end": "2026-11-30",
                "pay_date": "2026-11-30",
                "currency": "EUR",
                "gross_pay_minor": 325_000,
                "net_pay_minor": 211_250,
                "deductions_minor": 113_750,
                "bonus_minor": 0,
                "deduction_lines": 4,
            },
            "idempotency_key": "november-W-000001",
        }
        for name, value in changes.items():
            (body["payslip"] if name in body["payslip"] else body)[name] = value
        return body

    def call(self, method: str, resource: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """Through the entry point: (status, decoded body)."""
        answer = self.handle(proxy_event(method, resource, body, **options), None)
        return answer["statusCode"], json.loads(answer["body"])

    def score(
        self, *, role: str = "scoring-client", person: str = "local-scoring-client", **changes: Any
    ) -> tuple[int, Any]:
        return self.call("POST", PATH, self.body(**changes), role=role, person=person)

    def score_text(self) -> str:
        """The exact body of a 200."""
        answer = self.handle(proxy_event("POST", PATH, self.body()), None)
        assert answer["statusCode"] == 200, answer["body"]
        return str(answer["body"])

    def replay(self, identity: str, *, role: str) -> tuple[int, Any]:
        path = {"id": identity}
        return self.call("GET", "/v1/predictions/{id}/replay", role=role, person="p", path=path)

    def run_shadows(self, answer: str, *, poison: bool = False) -> list[str]:
        message = {"prediction_id": json.loads(answer)["prediction_id"], "use_case": USE_CASE}
        records = [{"messageId": "poison", "body": "{"}] if poison else []
        records.append({"messageId": "m-1", "body": json.dumps(message)})
        return shadow_score.run(records, self.stores)

    # ---- what is seen

    def logged(self) -> int:
        return int(client("dynamodb").scan(TableName="predictions", Select="COUNT")["Count"])

    def forget_predictions(self) -> None:
        for item in client("dynamodb").scan(TableName="predictions")["Items"]:
            key = {"prediction_id": item["prediction_id"]}
            client("dynamodb").delete_item(TableName="predictions", Key=key)

    # ---- what goes wrong at AWS

    @contextmanager
    def _dynamodb(self, when: str, operation: str, do: Any) -> Iterator[None]:
        name, events = f"{when}.dynamodb.{operation}", client("dynamodb").meta.events
        events.register_first(name, do)
        try:
            yield
        finally:
            events.unregister(name, do)

    @contextmanager
    def dynamodb_fails(self, operation: str, error: Exception) -> Iterator[None]:
        def fail(**_: Any) -> None:
            raise error

        with self._dynamodb("before-send", operation, fail):
            yield

    @contextmanager
    def dynamodb_loses_the_answer_of(self, operation: str) -> Iterator[None]:
        """The call is carried out; its caller sees a connection that broke, once."""
        from botocore.exceptions import ReadTimeoutError

        seen: list[bool] = []

        def lose(**_: Any) -> None:
            if not seen:
                seen.append(True)
                raise ReadTimeoutError(endpoint_url="https://dynamodb")

        with self._dynamodb("after-call", operation, lose):
            yield

    @contextmanager
    def dynamodb_leaves_keys_unprocessed(self) -> Iterator[None]:
        def partly(request: Any, **_: Any) -> AWSResponse:
            asked = json.loads(request.body)["RequestItems"]
            answer = {"Responses": {table: [] for table in asked}, "UnprocessedKeys": asked}
            return canned(request.url, answer)

        with self._dynamodb("before-send", "BatchGetItem", partly):
            yield


class _Raw:
    """A response's body as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content


def canned(url: str, answer: dict[str, Any]) -> AWSResponse:
    """An answer of DynamoDB that nobody computed."""
    headers: Any = {"content-type": "application/x-amz-json-1.0"}
    return AWSResponse(url, 200, headers, _Raw(json.dumps(answer).encode()))
