"""Tables, their streams, and objects. Nothing here deletes, and nothing changes an audit item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aws_cdk import aws_iam as iam

from infra.names import BucketName, TableName
from infra.permissions.base import Permission, Wiring, allow

INDEXES: dict[str, tuple[str, ...]] = {"registry": ("by_status",), "predictions": ("by_use_case",)}


@dataclass(frozen=True, slots=True)
class TablePermission(Permission):
    """Item actions on one table."""

    table: TableName

    def actions(self) -> Sequence[str]:
        """Without the `dynamodb:` prefix."""
        raise NotImplementedError

    def resources(self, wiring: Wiring) -> list[str]:
        """The table."""
        return [wiring.names.table_arn(self.table)]

    def statements(self, wiring: Wiring) -> list[iam.PolicyStatement]:
        """One statement."""
        return [allow([f"dynamodb:{a}" for a in self.actions()], self.resources(wiring))]

    def variables(self, wiring: Wiring) -> dict[str, str]:
        """`ONLINE_TABLE` and its like."""
        return {f"{self.table.upper()}_TABLE": wiring.names.of(self.table)}


@dataclass(frozen=True, slots=True)
class Read(TablePermission):
    """Read items of a table, and of its indexes."""

    def actions(self) -> Sequence[str]:
        """No Scan: every access path is a key."""
        return ("BatchGetItem", "GetItem", "Query")

    def resources(self, wiring: Wiring) -> list[str]:
        """The table and each of its indexes by name."""
        arn = wiring.names.table_arn(self.table)
        return [arn, *(f"{arn}/index/{name}" for name in INDEXES.get(self.table, ()))]

    def encrypted_by(self) -> tuple[str, Literal["read", "write"]] | None:
        """DynamoDB decrypts for the caller."""
        return "dynamodb", "read"


@dataclass(frozen=True, slots=True)
class Write(TablePermission):
    """Put and update items, alone or in a transaction. Never the audit table: see `Append`."""

    def __post_init__(self) -> None:
        if self.table == "audit":
            raise ValueError("The audit table is append-only: use Append()")

    def actions(self) -> Sequence[str]:
        """Items expire by TTL; nothing deletes them."""
        return ("BatchWriteItem", "ConditionCheckItem", "PutItem", "UpdateItem")

    def encrypted_by(self) -> tuple[str, Literal["read", "write"]] | None:
        """DynamoDB encrypts for the caller."""
        return "dynamodb", "write"


@dataclass(frozen=True, slots=True)
class WriteKeys(TablePermission):
    """Put and update only items whose partition key is like one of `keys`, such as `refused#*`.

    For a function that keeps a little of its own in a table that others decide by.
    """

    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.table == "audit":
            raise ValueError("The audit table is append-only: use Append()")
        if not self.keys or any(key.startswith("*") for key in self.keys):
            raise ValueError("Name the keys that may be written, each by its beginning")

    def actions(self) -> Sequence[str]:
        """Neither a batch nor a transaction: one item at a time."""
        return ("PutItem", "UpdateItem")

    def statements(self, wiring: Wiring) -> list[iam.PolicyStatement]:
        """One statement, on the leading key of the item."""
        (statement,) = TablePermission.statements(self, wiring)
        statement.add_condition(
            "ForAllValues:StringLike", {"dynamodb:LeadingKeys": list(self.keys)}
        )
        return [statement]

    def encrypted_by(self) -> tuple[str, Literal["read", "write"]] | None:
        """DynamoDB encrypts for the caller."""
        return "dynamodb", "write"


@dataclass(frozen=True, slots=True)
class Append(TablePermission):
    """Add to the audit chain and read its head."""

    table: TableName = "audit"

    def actions(self) -> Sequence[str]:
        """Neither update, nor delete, nor a batch (a batch write can delete)."""
        return ("GetItem", "PutItem", "Query")

    def encrypted_by(self) -> tuple[str, Literal["read", "write"]] | None:
        """DynamoDB encrypts for the caller."""
        return "dynamodb", "write"


@dataclass(frozen=True, slots=True)
class Prefix(Permission):
    """Objects of a bucket below a prefix; `*/runs/` is below any use case. Nothing is deleted by it."""

    bucket: BucketName
    prefix: str = ""
    read: bool = False
    write: bool = False

    def resource(self, wiring: Wiring) -> str:
        """The objects."""
        return f"{wiring.names.bucket_arn(self.bucket)}/{self.prefix}*"

    def statements(self, wiring: Wiring) -> list[iam.PolicyStatement]:
        """Readers may also list, without which S3 answers 403 for an object that is not there."""
        made = []
        if self.read:
            # Whether an object is locked is told only to who may read its retention.
            retention = ["s3:GetObjectRetention"] if self.bucket == "seal" else []
            made.append(allow(["s3:GetObject", *retention], [self.resource(wiring)]))
            listing = allow(["s3:ListBucket"], [wiring.names.bucket_arn(self.bucket)])
            if self.prefix:
                listing.add_condition("StringLikeIfExists", {"s3:prefix": [f"{self.prefix}*"]})
            made.append(listing)
        if self.write:
            made.append(allow(["s3:PutObject"], [self.resource(wiring)]))
        return made

    def variables(self, wiring: Wiring) -> dict[str, str]:
        """`LAKE_BUCKET` and its like."""
        return {f"{self.bucket.upper()}_BUCKET": wiring.names.bucket(self.bucket)}

    def encrypted_by(self) -> tuple[str, Literal["read", "write"]] | None:
        """S3 encrypts and decrypts for the caller."""
        return "s3", "write" if self.write else "read"


@dataclass(frozen=True, slots=True)
class Remove(Permission):
    """Delete objects of a bucket, and only those of these names; earlier versions of them stay."""

    bucket: BucketName
    names: tuple[str, ...]

    def statements(self, wiring: Wiring) -> list[iam.PolicyStatement]:
        """The current version of an object; nobody may delete a version for good."""
        arn = wiring.names.bucket_arn(self.bucket)
        return [allow(["s3:DeleteObject"], [f"{arn}/*/{name}" for name in self.names])]


@dataclass(frozen=True, slots=True)
class Stream(TablePermission):
    """Be the consumer of a table's stream."""

    def statements(self, wiring: Wiring) -> list[iam.PolicyStatement]:
        """A stream's ARN ends in the time of its making, so it is named by its table."""
        actions = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
        arn = f"{wiring.names.table_arn(self.table)}/stream/*"
        return [allow([f"dynamodb:{a}" for a in actions], [arn])]

    def variables(self, wiring: Wiring) -> dict[str, str]:
        """None: the records arrive by themselves."""
        return {}

    def encrypted_by(self) -> tuple[str, Literal["read", "write"]] | None:
        """DynamoDB decrypts for the caller."""
        return "dynamodb", "read"
