"""The write-ahead prediction log: what was answered is here, and what is here was answered.

An item is written once, conditionally, before the answer leaves. Afterwards only shadow scores,
outcomes and the archive's mark are added to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from countersign.aws.attributes import marshal, marshal_item, plain_item
from countersign.aws.dynamo import Dynamo
from countersign.aws.settings import Settings
from countersign.clock import Clock, iso
from countersign.errors import (
    ConflictError,
    IdempotencyConflictError,
    NotFoundError,
    PredictionLogError,
    StoreUnavailableError,
)
from countersign.serving.prediction import Prediction

KEPT_AFTER_ARCHIVE = timedelta(days=90)
_CONDITION_FAILED = "ConditionalCheckFailedException"
_BATCH = 100
_ATTEMPTS = 8
_ONLY_WHERE_THERE_IS_ONE = ("strategy", "probabilities", "upstream")


class PredictionLog:
    """One table, pk `prediction_id`, index `by_use_case` on (use_case, at)."""

    def __init__(self, dynamodb: Any, settings: Settings, clock: Clock) -> None:
        self._client = dynamodb
        self._dynamo = Dynamo(dynamodb)
        self._table = settings.require("predictions_table")
        self._clock = clock

    def append(self, prediction: Prediction) -> str:
        """Write ahead; returns the answer that stands under this id: this one, or the first one.

        Raises
        ------
        IdempotencyConflictError   another body was answered under this idempotency key
        PredictionLogError         it could not be written, so nothing may be answered
        """
        try:
            self._dynamo.call(
                "PutItem",
                {
                    "TableName": self._table,
                    "Item": to_item(prediction),
                    "ConditionExpression": "attribute_not_exists(prediction_id)",
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == _CONDITION_FAILED:
                return self._standing(prediction, dict(error.response).get("Item"))
            raise PredictionLogError("The prediction log refused the entry; try again") from error
        except BotoCoreError as error:
            raise PredictionLogError("The prediction log did not answer; try again") from error
        return prediction.answer

    def _standing(self, prediction: Prediction, item: Any) -> str:
        logged = from_item(item) if item else self.find(prediction.prediction_id)
        if logged is None:
            raise PredictionLogError("The entry under this key could not be read; try again")
        return same_request(logged, prediction.request_digest).answer

    def find(self, prediction_id: str) -> Prediction | None:
        """The entry, read consistently, or None."""
        try:
            answer = self._client.get_item(
                TableName=self._table,
                Key={"prediction_id": {"S": prediction_id}},
                ConsistentRead=True,
            )
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailableError("The prediction log did not answer; try again") from error
        return from_item(answer["Item"]) if "Item" in answer else None

    def get(self, prediction_id: str, *, tenant: str | None = None) -> Prediction:
        """The entry. Raises NotFoundError when there is none, or when it is another tenant's."""
        found = self.find(prediction_id)
        if found is None or (tenant is not None and found.tenant != tenant):
            raise NotFoundError("No such prediction")
        return found

    def get_many(self, prediction_ids: Sequence[str]) -> dict[str, Prediction]:
        """The entries that exist, by id, read consistently and whole."""
        found: dict[str, Prediction] = {}
        wanted = list(dict.fromkeys(prediction_ids))
        for start in range(0, len(wanted), _BATCH):
            keys = [{"prediction_id": {"S": name}} for name in wanted[start : start + _BATCH]]
            for item in self._read_whole(keys):
                entry = from_item(item)
                found[entry.prediction_id] = entry
        return found

    def _read_whole(self, keys: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        pending = {self._table: {"Keys": keys, "ConsistentRead": True}}
        for _ in range(_ATTEMPTS):
            answer = self._client.batch_get_item(RequestItems=pending)
            yield from answer["Responses"].get(self._table, [])
            pending = answer.get("UnprocessedKeys") or {}
            if not pending:
                return
        raise StoreUnavailableError("The prediction log left keys unprocessed; try again")

    def between(self, use_case: str, start: str, end: str) -> Iterator[Prediction]:
        """Entries of `use_case` with start <= at < end (ISO texts), oldest first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="by_use_case",
            KeyConditionExpression="use_case = :u AND #at BETWEEN :start AND :end",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues={
                ":u": {"S": use_case}, ":start": {"S": start}, ":end": {"S": end},
            },
        )  # fmt: skip
        for page in pages:
            yield from (p for p in map(from_item, page["Items"]) if p.at < end)

    def add_shadow_score(self, prediction_id: str, version: str, score: dict[str, Any]) -> bool:
        """Record what the shadow `version` would have said; False when that was recorded before."""
        return self._update(
            prediction_id,
            "SET shadow_scores.#v = :score",
            "attribute_exists(prediction_id) AND attribute_not_exists(shadow_scores.#v)",
            {"#v": version},
            {":score": score},
        )

    def add_outcome(
        self, prediction_id: str, outcome: dict[str, Any], *, tenant: str | None = None
    ) -> dict[str, Any]:
        """Append a version of what really happened: `outcome` has label, known_at, and more.

        The one known last stands; a late arrival of older knowledge only joins the history.
        Recording the same label and known_at again changes nothing. Returns the recorded version.
        Raises NotFoundError, ConflictError.
        """
        for _ in range(_ATTEMPTS):
            logged = self.get(prediction_id, tenant=tenant)
            for known in logged.outcomes:
                if (known["label"], known["known_at"]) == (outcome["label"], outcome["known_at"]):
                    return dict(known)
            version = len(logged.outcomes) + 1
            entry = {**outcome, "at": iso(self._clock.now()), "version": version}
            standing = max([*logged.outcomes, entry], key=lambda o: (o["known_at"], o["version"]))
            if self._update(
                prediction_id,
                "SET outcome = :standing, outcomes = :history",
                "attribute_exists(prediction_id) AND "
                + (
                    "size(outcomes) = :seen"
                    if logged.outcomes
                    else "attribute_not_exists(outcomes)"
                ),
                {},
                {":standing": standing, ":history": [*logged.outcomes, entry]}
                | ({":seen": len(logged.outcomes)} if logged.outcomes else {}),
            ):
                return entry
        raise ConflictError("Others are recording outcomes of this prediction; try again")

    def mark_archived(self, prediction: Prediction) -> bool:
        """Start the entry's last 90 days; False when its outcome changed since it was read."""
        now = self._clock.now()
        outcome = prediction.outcome
        return self._update(
            prediction.prediction_id,
            "SET archived_at = :at, #ttl = :ttl",
            "attribute_exists(prediction_id) AND "
            + ("outcome.version = :seen" if outcome else "attribute_not_exists(outcome)"),
            {"#ttl": "ttl"},
            {":at": iso(now), ":ttl": int((now + KEPT_AFTER_ARCHIVE).timestamp())}
            | ({":seen": outcome["version"]} if outcome else {}),
        )

    def _update(
        self,
        prediction_id: str,
        expression: str,
        condition: str,
        names: dict[str, str],
        values: dict[str, Any],
    ) -> bool:
        named = {"ExpressionAttributeNames": names} if names else {}
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"prediction_id": {"S": prediction_id}},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues={name: marshal(v) for name, v in values.items()},
                **named,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == _CONDITION_FAILED:
                return False
            raise
        return True


def same_request(logged: Prediction, digest: str) -> Prediction:
    """`logged`, if it answered the request of this digest. Raises IdempotencyConflictError."""
    if logged.request_digest != digest:
        raise IdempotencyConflictError(
            "This idempotency key answered another body; send a new key with a new request"
        )
    return logged


def to_item(prediction: Prediction) -> dict[str, Any]:
    """The DynamoDB item of an entry that is written for the first time."""
    item = {
        name: getattr(prediction, name)
        for name in Prediction.__slots__
        if name not in {"features", "outcome", "outcomes", "archived_at"}
    }
    item["features"] = json.dumps(dict(prediction.features), allow_nan=False, separators=(",", ":"))
    for name in _ONLY_WHERE_THERE_IS_ONE:
        if not item[name]:
            del item[name]
    return marshal_item(item)


def from_item(item: dict[str, Any]) -> Prediction:
    """The entry of a DynamoDB item, or of an image in its stream."""
    values = plain_item(item)
    known = {name: values[name] for name in Prediction.__slots__ if name in values}
    model_score, threshold = values["model_score"], values["threshold"]
    shares = values.get("probabilities")
    return Prediction(
        **known
        | {
            "features": json.loads(values["features"]),
            "score": float(values["score"]),
            "model_score": None if model_score is None else float(model_score),
            "rule_score": float(values["rule_score"]),
            "threshold": None if threshold is None else float(threshold),
            "probabilities": None if shares is None else {n: float(p) for n, p in shares.items()},
            "reason_codes": tuple(values["reason_codes"]),
            "degraded": tuple(values["degraded"]),
            "outcomes": tuple(values.get("outcomes") or ()),
        }
    )
