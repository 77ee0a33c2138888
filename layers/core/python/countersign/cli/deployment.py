"""The deployment that a command speaks to, signed as one identity.

Against the local cloud `--identity` names one of the seven roles of `outputs.json`; against AWS the
signature is that of the credentials at hand.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from countersign.aws.lake import Lake
from countersign.cli.local_cloud.client import Cloud
from countersign.cli.local_cloud.settings import from_environment
from countersign.errors import CountersignError, NotFoundError

Output = Annotated[Literal["table", "json"], typer.Option(help="table or json")]
Identity = Annotated[str, typer.Option("--identity", help="Sign as this role (local cloud).")]
Reason = Annotated[str, typer.Option(help="Why; it goes on record.")]


class ApiError(CountersignError):
    """The API refused; the detail is its own."""

    title = "The API refused"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed system, and the identity that signs; None is the credentials at hand."""

    cloud: Cloud
    signer: str | None

    @classmethod
    def signed_as(cls, identity: str) -> Deployment:
        """The deployment of `COUNTERSIGN_OUTPUTS`, or the local cloud.

        Raises ApiError when it knows identities and this is none of them.
        """
        named = os.environ.get("COUNTERSIGN_OUTPUTS")
        cloud = Cloud.from_file(Path(named) if named else from_environment().outputs)
        known = cloud.outputs.get("identities", {})
        if known and identity not in known:
            raise ApiError(f"No identity {identity!r}; there are {', '.join(known)}")
        return cls(cloud, identity if known else None)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One signed request; the answer's document.

        Raises NotFoundError for what is not there and ApiError for every other refusal.
        """
        status, _, answer = self.cloud.api(self.signer).request(method, path, json=body)
        if status >= 400:
            detail = answer.get("detail") if isinstance(answer, dict) else answer
            kind = NotFoundError if status == 404 else ApiError
            raise kind(f"{method} {path}: {status} {detail or refusal(answer)}")
        return answer

    def client(self, service: str) -> Any:
        """A boto3 client with this identity's keys."""
        return self.cloud.client(service, self.signer)

    def lake(self) -> Lake:
        """The lake bucket, as far as this identity may read it."""
        return Lake(self.client("s3"), self.cloud.outputs["buckets"]["lake"])


def refusal(answer: Any) -> str:
    """What the edge said: API Gateway's own refusals have a message and no detail."""
    return str(answer.get("message") or answer) if isinstance(answer, dict) else str(answer)


def call(identity: str, method: str, path: str, body: Any = None) -> Any:
    """One signed request to the deployment at hand."""
    return Deployment.signed_as(identity).call(method, path, body)
