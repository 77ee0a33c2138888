"""What is kept: tables, buckets, keys, and the topic of notices."""

from __future__ import annotations

from aws_cdk import Aws, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import Environment as Where
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.names import Names
from infra.settings import Environment

STRING = dynamodb.AttributeType.STRING
NUMBER = dynamodb.AttributeType.NUMBER
DENIED_ON_AUDIT = (
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLUpdate",
    "dynamodb:UpdateItem",
)


class StorageStack(Stack):
    """Everything that outlives a deployment."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment,
        names: Names,
    ) -> None:
        where = Where(account=environment.account or None, region=environment.region or None)
        super().__init__(
            scope, id_, env=where, description="Countersign: tables, buckets, keys, notices"
        )
        self.environment_settings = environment
        self.names = names
        self.data_key = self._data_key()
        self.signing_key = self._signing_key()
        self.tables = self._tables()
        self.buckets = self._buckets()
        self.notices = self._notices()

    @property
    def removal(self) -> RemovalPolicy:
        """Data stays when a protected stack goes."""
        protected = self.environment_settings.deletion_protection
        return RemovalPolicy.RETAIN if protected else RemovalPolicy.DESTROY

    def _data_key(self) -> kms.Key:
        """One symmetric key for data at rest; services use it on behalf of who may use them."""
        key = kms.Key(
            self,
            "DataKey",
            alias=self.names.of("data"),
            description="Countersign: data at rest",
            enable_key_rotation=True,
            removal_policy=self.removal,
        )
        key.add_to_resource_policy(
            service_statement(
                f"logs.{Aws.REGION}.{Aws.URL_SUFFIX}",
                [
                    "kms:Decrypt*",
                    "kms:DescribeKey",
                    "kms:Encrypt*",
                    "kms:GenerateDataKey*",
                    "kms:ReEncrypt*",
                ],
                {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": self.names.log_group_arn("*")}},
            )
        )
        for service in ("cloudwatch", "events"):
            key.add_to_resource_policy(
                service_statement(
                    f"{service}.amazonaws.com",
                    ["kms:Decrypt", "kms:GenerateDataKey"],
                    {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
                )
            )
        CfnOutput(self, "KeyData", value=key.key_arn)
        return key

    def _signing_key(self) -> kms.Key:
        """The key that signs models. Its own policy refuses every signer but the exporter."""
        role = self.names.role_arn("fn-export_model")
        # AWS names a session by its role here; the emulator by the session itself.
        session = role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
        key = kms.Key(
            self,
            "SigningKey",
            alias=self.names.of("signing"),
            description="Countersign: signatures of model manifests",
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            removal_policy=self.removal,
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OnlyTheExporterSigns",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["kms:Sign"],
                resources=["*"],
                conditions={"ArnNotLike": {"aws:PrincipalArn": [role, f"{session}/*"]}},
            )
        )
        CfnOutput(self, "KeySigning", value=key.key_arn)
        return key

    def _tables(self) -> dict[str, dynamodb.Table]:
        """The four tables of DESIGN 3."""
        registry = self._table("registry", "pk", ("sk", STRING))
        registry.add_global_secondary_index(
            index_name="by_status",
            partition_key=dynamodb.Attribute(name="gsi_pk", type=STRING),
            sort_key=dynamodb.Attribute(name="gsi_sk", type=STRING),
        )
        predictions = self._table(
            "predictions",
            "prediction_id",
            None,
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
        )
        predictions.add_global_secondary_index(
            index_name="by_use_case",
            partition_key=dynamodb.Attribute(name="use_case", type=STRING),
            sort_key=dynamodb.Attribute(name="at", type=STRING),
        )
        audit = self._table("audit", "pk", ("seq", NUMBER))
        audit.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AppendOnly",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=list(DENIED_ON_AUDIT),
                resources=["*"],
            )
        )
        tables = {
            "online": self._table("online", "pk", ("sk", STRING)),
            "registry": registry,
            "audit": audit,
            "predictions": predictions,
        }
        for name, table in tables.items():
            CfnOutput(self, f"Table{name.title()}", value=table.table_name)
        return tables

    def _table(
        self,
        name: str,
        key: str,
        sort: tuple[str, dynamodb.AttributeType] | None,
        *,
        stream: dynamodb.StreamViewType | None = None,
    ) -> dynamodb.Table:
        """On demand, point-in-time recovery, our own key; `ttl` where items expire."""
        return dynamodb.Table(
            self,
            f"{name.title()}Table",
            table_name=self.names.of(name),
            partition_key=dynamodb.Attribute(name=key, type=STRING),
            sort_key=dynamodb.Attribute(name=sort[0], type=sort[1]) if sort else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.data_key,
            deletion_protection=self.environment_settings.deletion_protection,
            removal_policy=self.removal,
            time_to_live_attribute="ttl" if name in {"online", "predictions"} else None,
            stream=stream,
        )

    def _buckets(self) -> dict[str, s3.Bucket]:
        """raw, lake, models; seal, which is write-once; and the logs of all of them."""
        logs = self._bucket("logs", None, lifecycle_days=400)
        acknowledge(logs, {"S1": "This is the bucket that receives the access logs"})
        buckets = {name: self._bucket(name, logs) for name in ("raw", "lake", "models")}
        buckets["seal"] = self._bucket("seal", logs, locked=True)
        raw = buckets["raw"].node.default_child
        assert isinstance(raw, s3.CfnBucket)
        # The property itself: the CDK's switch adds a custom resource to set what it sets.
        raw.add_property_override(
            "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", True
        )
        for name, bucket in buckets.items():
            CfnOutput(self, f"Bucket{name.title()}", value=bucket.bucket_name)
        return buckets

    def _bucket(
        self,
        name: str,
        logs: s3.Bucket | None,
        *,
        locked: bool = False,
        lifecycle_days: int | None = None,
    ) -> s3.Bucket:
        """Versioned, our own key, TLS only, nothing public, every access logged."""
        days = self.environment_settings.seal_retention_days
        rules = [s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(7))]
        if lifecycle_days:
            rules.append(s3.LifecycleRule(expiration=Duration.days(lifecycle_days)))
        # S3 delivers access logs only into buckets with its own encryption.
        own_key = logs is not None
        return s3.Bucket(
            self,
            f"{name.title()}Bucket",
            bucket_name=self.names.bucket(name),
            versioned=True,
            encryption=s3.BucketEncryption.KMS if own_key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=self.data_key if own_key else None,
            bucket_key_enabled=own_key or None,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            object_lock_enabled=locked or None,
            object_lock_default_retention=s3.ObjectLockRetention.compliance(Duration.days(days))
            if locked
            else None,
            server_access_logs_bucket=logs,
            server_access_logs_prefix=f"{name}/" if logs else None,
            lifecycle_rules=rules,
            removal_policy=self.removal,
        )

    def _notices(self) -> sns.Topic:
        """Notices to people."""
        topic = sns.Topic(
            self,
            "Notices",
            topic_name=self.names.of("notices"),
            master_key=self.data_key,
            enforce_ssl=True,
        )
        if self.environment_settings.alarm_email:
            address = self.environment_settings.alarm_email
            topic.add_subscription(subscriptions.EmailSubscription(address))
        topic.add_to_resource_policy(
            service_statement(
                "cloudwatch.amazonaws.com",
                ["sns:Publish"],
                {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
                resource=topic.topic_arn,
            )
        )
        CfnOutput(self, "TopicNotices", value=topic.topic_arn)
        return topic


def service_statement(
    service: str, actions: list[str], conditions: dict[str, object], *, resource: str = "*"
) -> iam.PolicyStatement:
    """Let an AWS service act, under conditions. In a key's policy `*` is the key itself."""
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal(service)],
        actions=actions,
        resources=[resource],
        conditions=conditions,
    )
