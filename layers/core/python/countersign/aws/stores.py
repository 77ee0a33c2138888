"""Everything a step may touch, built lazily: a worker pays only for what its step uses."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from countersign.aws.session import client
from countersign.aws.settings import Settings
from countersign.clock import Clock

if TYPE_CHECKING:
    from countersign.aws.artifacts import Artifacts
    from countersign.aws.audit import Audit
    from countersign.aws.lake import Lake
    from countersign.aws.machines import Machines
    from countersign.aws.notices import Notices
    from countersign.aws.online import OnlineStore
    from countersign.aws.predictions import PredictionLog
    from countersign.aws.queues import Queues
    from countersign.aws.registry import Registry
    from countersign.aws.signer import Signer


@dataclass
class Stores:
    """The stores of one worker. `clock` is the only source of time."""

    settings: Settings
    clock: Clock = field(default_factory=Clock)

    @classmethod
    def from_environment(cls) -> Stores:
        """The stores that this function's environment variables name."""
        return cls(Settings.from_environment())

    @cached_property
    def online(self) -> OnlineStore:
        """Latest feature values by entity."""
        from countersign.aws.online import OnlineStore

        return OnlineStore(client("dynamodb"), self.settings, self.clock)

    @cached_property
    def raw(self) -> Lake:
        """Deliveries as they came, and the quarantine."""
        from countersign.aws.lake import Lake

        return Lake(client("s3"), self.settings.require("raw_bucket"))

    @cached_property
    def lake(self) -> Lake:
        """The offline store and everything derived."""
        from countersign.aws.lake import Lake

        return Lake(client("s3"), self.settings.require("lake_bucket"))

    @cached_property
    def artifacts(self) -> Artifacts:
        """Model artifacts by run and by version."""
        from countersign.aws.artifacts import Artifacts

        return Artifacts(client("s3"), self.settings.require("models_bucket"), self.signer)

    @cached_property
    def signer(self) -> Signer:
        """Signs and verifies manifests."""
        from countersign.aws.signer import Signer

        return Signer(client("kms"), self.settings.require("signing_key_arn"))

    @cached_property
    def registry(self) -> Registry:
        """Versions, pointers, deployments, approvals, triggers."""
        from countersign.aws.registry import Registry

        return Registry(client("dynamodb"), self.settings, self.clock)

    @cached_property
    def audit(self) -> Audit:
        """The hash chain of everything that was done."""
        from countersign.aws.audit import Audit

        return Audit(client("dynamodb"), self.settings.require("audit_table"), self.clock)

    @cached_property
    def predictions(self) -> PredictionLog:
        """The write-ahead prediction log."""
        from countersign.aws.predictions import PredictionLog

        return PredictionLog(client("dynamodb"), self.settings, self.clock)

    @cached_property
    def queues(self) -> Queues:
        """The queues behind the prediction stream."""
        from countersign.aws.queues import Queues

        return Queues(client("sqs"))

    @cached_property
    def machines(self) -> Machines:
        """State machines: start one, resume a waiting task."""
        from countersign.aws.machines import Machines

        return Machines(client("stepfunctions"), self.settings.require("machine_arn_prefix"))

    @cached_property
    def notices(self) -> Notices:
        """Notices to people."""
        from countersign.aws.notices import Notices

        return Notices(client("sns"), self.settings)
