"""The payments routes with champions: a merchant, an account, signed versions that look at one feature."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
from countersign import entry, use_cases
from countersign.aws.online import OnlineRow
from countersign.aws.session import client
from countersign.clock import iso
from countersign.features.packing import pack
from countersign.serving.archive import parquet_rows
from countersign.serving.prediction import Prediction
from countersign.serving.rules import rules_to_json
from countersign.serving.strategies import to_json
from countersign.steps import record_outcome, score, shadow_score

from tests.unit.predictions.cloud import NOW, Cloud
from tests.unit.predictions.gateway import proxy_event
from tests.unit.score.pointers import pointer_item
from tests.unit.serving.models import manifest_of, served_class_files, served_files

EVENTS = Path(__file__).parents[3] / "events"
MERCHANT, CUSTOMER = "M-0042", "CU-000117"
# What each model looks at: a field of the body that no rule reads.
DECISIVE = {
    "fraud": "transaction_hour_of_day",
    "churn": "account_plan",
    "retry": "failure_hour_of_day",
    "recovery": "attempts_made",
}
# Shares of retry's classes in their order, at the low and at the high end.
LOW = (0.1, 0.125, 0.5, 0.15, 0.125)
HIGH = (0.6, 0.1, 0.1, 0.1, 0.1)


class Payments:
    """Everything a payments request meets."""

    def __init__(self, aws: Cloud, patch: pytest.MonkeyPatch) -> None:
        self.stores, self.digests = aws.stores, dict[tuple[str, str], str]()
        patch.setattr(entry, "worker_stores", lambda: self.stores)
        self.handle = entry.api({**score.ROUTES, **record_outcome.ROUTES})
        self.put("fraud", "merchant_record", MERCHANT, days=10, merchant_risk_tier=2)
        signed_up = (NOW - timedelta(days=400)).timestamp() * 1e6
        self.put("churn", "customer_account", CUSTOMER, days=30, customer_tenure_days=signed_up)

    def put(self, use_case: str, view: str, identity: str, *, days: float, **values: float) -> None:
        """The online row of a view whose newest facts are `days` old; what is not stated is null."""
        declared = next(v for v in use_cases.get(use_case).views if v.name == view)
        at = NOW - timedelta(days=days)
        stored = [values.get(f.name) for f in declared.features]
        row = OnlineRow(
            packed=pack(declared, [*stored, *(at.timestamp() * 1e6 for _ in declared.sources())]),
            event_at=iso(at),
            known=iso(at),
            built=iso(NOW),
            digest="d",
            expires=int((NOW + timedelta(days=800)).timestamp()),
        )
        assert self.stores.online.write(declared.entity.name, view, [(identity, row)]) == [True]

    def publish(
        self,
        name: str,
        version: str = "1.0.0",
        *,
        low: Any = None,
        high: Any = None,
        decisive: str = "",
    ) -> None:
        """A signed version with the declared rules and strategies."""
        case = use_cases.get(name)
        rules, strategies = rules_to_json(case.rules), to_json(case.strategies)
        if case.label.classes:
            files = served_class_files(
                case.inputs,
                classes=case.label.classes,
                strategies=strategies,
                rules=rules,
                low=low or LOW,
                high=high or HIGH,
                decisive=decisive or DECISIVE[name],
            )
        else:
            files = served_files(
                case.inputs,
                rules=rules,
                strategies=strategies,
                low=0.25 if low is None else low,
                high=0.75 if high is None else high,
                rules_weight=case.hybrid.rules_weight,
                decisive=decisive or DECISIVE[name],
            )
        folder = f"{name}/{version}"
        for file, content in files.items():
            self.stores.artifacts.put(f"{folder}/{file}", content)
        manifest = {"version": version, **manifest_of(files)}
        self.digests[name, version] = self.stores.artifacts.seal(folder, manifest)

    def point(
        self,
        name: str,
        champion: str = "1.0.0",
        *,
        previous: Sequence[str] = (),
        shadows: Sequence[str] = (),
        **changes: Any,
    ) -> None:
        def pinned(version: str) -> dict[str, str]:
            return {"version": version, "digest": self.digests[name, version]}

        item = pointer_item(
            name,
            champion=pinned(champion),
            previous=[pinned(version) for version in previous],
            shadows=[pinned(version) for version in shadows],
            **changes,
        )
        client("dynamodb").put_item(TableName="registry", Item=item)

    def champion(self, name: str, **model: Any) -> None:
        """A first version in production."""
        self.publish(name, **model)
        self.point(name)

    def body(self, event: str, **changes: Any) -> dict[str, Any]:
        """The documented body, with fields changed by the last part of their path; None leaves one out."""
        found = json.loads((EVENTS / f"score__{event}.json").read_text())
        body: dict[str, Any] = json.loads(found["body"])
        for name, value in changes.items():
            holder = next(
                (part for part in body.values() if isinstance(part, dict) and name in part), body
            )
            if value is None:
                holder.pop(name, None)
            else:
                holder[name] = value
        return body

    def ask(self, name: str, body: Mapping[str, Any] | None = None, **changes: Any) -> Any:
        """The answer, which must be a 200."""
        status, answer = self.call(name, self.body(name, **changes) if body is None else body)
        assert status == 200, answer
        return answer

    def call(self, name: str, body: Any) -> tuple[int, Any]:
        return self.post(use_cases.get(name).api_path, body)

    def post(self, path: str, body: Any, **options: Any) -> tuple[int, Any]:
        answer = self.handle(proxy_event("POST", path, body, **options), None)
        return answer["statusCode"], json.loads(answer["body"])

    def logged(self, answer: Mapping[str, Any]) -> Prediction:
        return self.stores.predictions.get(answer["prediction_id"])

    def replay(self, answer: Mapping[str, Any]) -> Any:
        event = proxy_event(
            "GET",
            "/v1/predictions/{id}/replay",
            role="auditor",
            person="ada",
            path={"id": answer["prediction_id"]},
        )
        found = self.handle(event, None)
        assert found["statusCode"] == 200, found["body"]
        return json.loads(found["body"])

    def run_shadows(self, name: str, answer: Mapping[str, Any]) -> list[str]:
        message = {"prediction_id": answer["prediction_id"], "use_case": name}
        records = [{"messageId": "m-1", "body": json.dumps(message)}]
        return shadow_score.run(records, self.stores)


def in_parquet(payments: Payments, answer: Any) -> dict[str, Any]:
    """The archived row, but for its times."""
    import duckdb

    ((_, content),) = parquet_rows([payments.logged(answer)])
    with NamedTemporaryFile(suffix=".parquet") as file, duckdb.connect() as connection:
        file.write(content)
        file.flush()
        table = connection.sql(
            f'SELECT * EXCLUDE ("at", outcome_known_at) FROM read_parquet("{file.name}")'
        )
        (row,) = table.fetchall()
        return dict(zip(table.columns, row, strict=True))
