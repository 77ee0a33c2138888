"""What is kept is recoverable, encrypted with our key, and closed to the public."""

import pytest

from tests.infra.conftest import Resource, Synthesised, text

TABLES = {"online", "registry", "audit", "predictions"}
BUCKETS = {"raw", "lake", "models", "seal", "logs"}


def tables(synthesised: Synthesised) -> dict[str, Resource]:
    found = synthesised.properties("AWS::DynamoDB::Table")
    return {p["TableName"].split("-", 2)[2]: p for p in found}


def buckets(synthesised: Synthesised) -> dict[str, Resource]:
    found = synthesised.properties("AWS::S3::Bucket")
    return {text(p["BucketName"]).split("-")[2]: p for p in found}


def test_every_table_is_recoverable_encrypted_and_paid_by_use(any_environment: Synthesised) -> None:
    assert set(tables(any_environment)) == TABLES
    for name, table in tables(any_environment).items():
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], name
        assert table["SSESpecification"]["SSEType"] == "KMS", name
        assert "DataKey" in text(table["SSESpecification"]["KMSMasterKeyId"]), name
        assert table["BillingMode"] == "PAY_PER_REQUEST", name


def test_outside_local_tables_cannot_be_deleted(every_environment: dict[str, Synthesised]) -> None:
    for name, synthesised in every_environment.items():
        for table in tables(synthesised).values():
            assert table.get("DeletionProtectionEnabled", False) is (name != "local")


def test_data_outlives_its_stack_outside_local(every_environment: dict[str, Synthesised]) -> None:
    kept = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key")
    for name, synthesised in every_environment.items():
        wanted = "Delete" if name == "local" else "Retain"
        for logical, resource in synthesised.resources(*kept):
            assert resource["DeletionPolicy"] == wanted, (name, logical)


def test_keys_and_indexes_are_those_the_stores_use(dev: Synthesised) -> None:
    found = tables(dev)
    keys = {name: [k["AttributeName"] for k in t["KeySchema"]] for name, t in found.items()}
    assert keys == {
        "online": ["pk", "sk"],
        "registry": ["pk", "sk"],
        "audit": ["pk", "seq"],
        "predictions": ["prediction_id"],
    }
    indexes = {
        name: {
            i["IndexName"]: [k["AttributeName"] for k in i["KeySchema"]]
            for i in table.get("GlobalSecondaryIndexes", [])
        }
        for name, table in found.items()
    }
    assert indexes["registry"] == {"by_status": ["gsi_pk", "gsi_sk"]}
    assert indexes["predictions"] == {"by_use_case": ["use_case", "at"]}
    assert {"AttributeName": "seq", "AttributeType": "N"} in found["audit"]["AttributeDefinitions"]


def test_predictions_stream_both_images_and_expire(dev: Synthesised) -> None:
    predictions = tables(dev)["predictions"]
    assert predictions["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    for name in ("predictions", "online"):
        assert tables(dev)[name]["TimeToLiveSpecification"] == {
            "AttributeName": "ttl",
            "Enabled": True,
        }


def test_every_bucket_is_versioned_private_and_logged(any_environment: Synthesised) -> None:
    assert set(buckets(any_environment)) == BUCKETS
    for name, bucket in buckets(any_environment).items():
        assert bucket["VersioningConfiguration"]["Status"] == "Enabled", name
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert ("LoggingConfiguration" in bucket) is (name != "logs"), name


def test_data_buckets_use_our_key(any_environment: Synthesised) -> None:
    for name, bucket in buckets(any_environment).items():
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        how = rule["ServerSideEncryptionByDefault"]
        assert how["SSEAlgorithm"] == ("AES256" if name == "logs" else "aws:kms"), name
        if name != "logs":
            assert "DataKey" in text(how["KMSMasterKeyID"])


def test_every_bucket_refuses_plain_http(any_environment: Synthesised) -> None:
    policies = any_environment.properties("AWS::S3::BucketPolicy")
    refusing = [
        p
        for p in policies
        if any(
            s["Effect"] == "Deny"
            and s["Condition"].get("Bool", {}).get("aws:SecureTransport") == "false"
            for s in p["PolicyDocument"]["Statement"]
        )
    ]
    assert len(refusing) == len(BUCKETS)


def test_seals_are_write_once_for_as_long_as_the_environment_says(
    every_environment: dict[str, Synthesised],
) -> None:
    days = {}
    for name, synthesised in every_environment.items():
        seal = buckets(synthesised)["seal"]
        retention = seal["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
        assert (seal["ObjectLockEnabled"], retention["Mode"]) == (True, "COMPLIANCE")
        days[name] = retention["Days"]
    assert days["prod"] >= 5 * 365
    assert days["local"] == 1


def test_arrivals_in_the_raw_bucket_reach_event_bridge(any_environment: Synthesised) -> None:
    raw = buckets(any_environment)["raw"]
    assert raw["NotificationConfiguration"] == {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
    }


def test_the_data_key_rotates(any_environment: Synthesised) -> None:
    (data,) = [
        p for p in any_environment.properties("AWS::KMS::Key") if p.get("KeyUsage") != "SIGN_VERIFY"
    ]
    assert data["EnableKeyRotation"] is True


@pytest.mark.parametrize("kind", ["AWS::SNS::Topic", "AWS::SQS::Queue"])
def test_notices_and_queues_are_encrypted_with_our_key(
    any_environment: Synthesised, kind: str
) -> None:
    for properties in any_environment.properties(kind):
        assert "DataKey" in text(properties["KmsMasterKeyId"])


def test_everything_that_takes_tags_says_whose_it_is(prod: Synthesised) -> None:
    for properties in prod.properties("AWS::DynamoDB::Table", "AWS::Lambda::Function"):
        tags = {tag["Key"]: tag["Value"] for tag in properties["Tags"]}
        assert tags == {"project": "countersign", "environment": "prod"}
