"""What the roles may do, read from the templates as AWS would read them."""

import json
from typing import Any

import pytest

from infra.catalog import BY_NAME, FUNCTIONS
from infra.permissions import Write, WriteKeys, allow
from tests.infra.conftest import ROOT, Resource, Synthesised, as_list, text

AUDIT_ACTIONS = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"}
POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
# CloudWatch, X-Ray, the set-up of vended logs, task tokens and a login to ECR take no resource.
WITHOUT_RESOURCE = (
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "logs:",
    "states:SendTask",
    "xray:",
)


def statements(synthesised: Synthesised) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, resource in synthesised.resources(*POLICIES):
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
            found.append((name, statement))
    for name, resource in synthesised.resources("AWS::IAM::Role"):
        for policy in resource["Properties"].get("Policies", []):
            found += [(name, s) for s in policy["PolicyDocument"]["Statement"]]
    return found


def policy_of(synthesised: Synthesised, function: str) -> list[dict[str, Any]]:
    """The statements that one function's role carries."""
    start = "".join(word for word in function.split("_")) + "Policy"
    found: list[dict[str, Any]] = []
    for name, resource in synthesised.resources("AWS::IAM::Policy"):
        if name.startswith(start):
            found += resource["Properties"]["PolicyDocument"]["Statement"]
    assert found, f"{function} has no policy"
    return found


def holders(synthesised: Synthesised, action: str) -> set[str]:
    return {n for n, s in statements(synthesised) if action in as_list(s["Action"])}


def test_no_action_is_a_wildcard(any_environment: Synthesised) -> None:
    wild = [
        (name, action)
        for name, statement in statements(any_environment)
        for action in as_list(statement["Action"])
        if "*" in action
    ]
    assert wild == []


def test_every_resource_is_named_where_the_action_takes_one(any_environment: Synthesised) -> None:
    for name, statement in statements(any_environment):
        if "*" in [text(r) for r in as_list(statement["Resource"])]:
            for action in as_list(statement["Action"]):
                assert action.startswith(WITHOUT_RESOURCE), (name, action)


def test_nobody_may_delete_or_scan(any_environment: Synthesised) -> None:
    for name, statement in statements(any_environment):
        for action in as_list(statement["Action"]):
            assert "Delete" not in action or action in {
                "sqs:DeleteMessage",
                "logs:DeleteLogDelivery",
                "s3:DeleteObject",
            }, name
            assert action != "dynamodb:Scan", name


def test_only_the_bytes_of_models_may_be_deleted_and_only_by_operate(
    any_environment: Synthesised,
) -> None:
    """Manifest, evaluation, report and card are evidence: no role can delete them, or a version for good."""
    deleting = [
        (name, [text(r) for r in as_list(s["Resource"])])
        for name, s in statements(any_environment)
        if "s3:DeleteObject" in as_list(s["Action"])
    ]
    ((name, resources),) = deleting
    assert name.startswith("operatePolicy")
    names = {resource.rpartition("/*/")[2] for resource in resources}
    assert names == {"golden.npz", "model.onnx", "model.ubj", "native.npz"}
    assert all("-models" in resource for resource in resources)


def test_audit_items_can_only_be_put_and_read(any_environment: Synthesised) -> None:
    for name, statement in statements(any_environment):
        on_audit = [
            r for r in as_list(statement["Resource"]) if "-audit" in text(r) and "table/" in text(r)
        ]
        if on_audit:
            assert set(as_list(statement["Action"])) <= AUDIT_ACTIONS, name


def test_the_audit_table_itself_refuses_changes_whoever_asks(any_environment: Synthesised) -> None:
    (audit,) = [
        p
        for p in any_environment.properties("AWS::DynamoDB::Table")
        if p["TableName"].endswith("-audit")
    ]
    (deny,) = audit["ResourcePolicy"]["PolicyDocument"]["Statement"]
    assert (deny["Effect"], deny["Principal"]) == ("Deny", {"AWS": "*"})
    assert {"dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"} <= set(
        deny["Action"]
    )


def test_only_the_exporter_signs(any_environment: Synthesised) -> None:
    (signer,) = holders(any_environment, "kms:Sign")
    assert signer.startswith("exportmodel")


def test_the_signing_key_refuses_every_other_signer(dev: Synthesised) -> None:
    (key,) = [p for p in dev.properties("AWS::KMS::Key") if p.get("KeyUsage") == "SIGN_VERIFY"]
    assert key["KeySpec"] == "ECC_NIST_P256"
    denies = [s for s in key["KeyPolicy"]["Statement"] if s["Effect"] == "Deny"]
    (signers,) = [s["Condition"]["ArnNotLike"]["aws:PrincipalArn"] for s in denies]
    assert [text(arn).split(":")[-1] for arn in signers] == [
        "role/countersign-dev-fn-export-model",
        "assumed-role/countersign-dev-fn-export-model/*",
    ]


def test_whoever_loads_a_model_can_verify_it_and_not_sign_it(dev: Synthesised) -> None:
    for function in ("score", "shadow_score", "validate_model", "backtest", "promote"):
        actions = {a for s in policy_of(dev, function) for a in as_list(s["Action"])}
        assert "kms:Verify" in actions
        assert "kms:Sign" not in actions


def test_only_the_approval_machine_may_start_training(any_environment: Synthesised) -> None:
    starters = {
        name
        for name, statement in statements(any_environment)
        if "states:StartExecution" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if text(resource).endswith((":stateMachine:*", "-training"))
    }
    # Roles of machines and functions alike; a person's policy would show here too.
    assert {name.split("Policy")[0] for name in starters} == {"approval"}


def test_the_scorer_touches_no_lake_and_starts_nothing(dev: Synthesised) -> None:
    actions = {a for s in policy_of(dev, "score") for a in as_list(s["Action"])}
    resources = [text(r) for s in policy_of(dev, "score") for r in as_list(s["Resource"])]
    assert not any(action.startswith(("states:", "sns:", "sqs:")) for action in actions)
    assert not any("-lake-" in resource for resource in resources)


def test_trainers_write_candidates_and_never_versions(dev: Synthesised) -> None:
    for function in ("train", "export_model", "evaluate"):
        puts = [
            text(resource)
            for statement in policy_of(dev, function)
            if "s3:PutObject" in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        ]
        models = [resource for resource in puts if "-models-" in resource]
        assert models
        assert all(resource.endswith("/*/runs/*") for resource in models)


def test_the_data_key_is_used_only_through_the_services_that_store(dev: Synthesised) -> None:
    for row in FUNCTIONS:
        for statement in policy_of(dev, row.name):
            if "kms:Decrypt" in as_list(statement["Action"]):
                assert statement["Condition"]["StringEquals"]["kms:ViaService"], row.name


def environment_of(synthesised: Synthesised) -> dict[str, Resource]:
    return {
        p["FunctionName"]: p["Environment"]["Variables"]
        for p in synthesised.properties("AWS::Lambda::Function")
    }


def test_a_function_is_told_only_of_what_it_may_use(dev: Synthesised) -> None:
    found = environment_of(dev)
    assert "AUDIT_TABLE" not in found["countersign-dev-score"]
    assert "SEAL_BUCKET" not in found["countersign-dev-train"]
    assert set(found["countersign-dev-forward-predictions"]) == {
        "ARCHIVE_QUEUE_URL",
        "COUNTERSIGN_ENVIRONMENT",
        "COUNTERSIGN_TIME_SCALE",
        "SHADOW_QUEUE_URL",
    }


def test_environment_variables_fit_into_4_kilobytes(any_environment: Synthesised) -> None:
    for name, variables in environment_of(any_environment).items():
        assert len(json.dumps({k: text(v) for k, v in variables.items()})) < 3500, name


def test_every_function_has_a_folder_and_every_folder_a_row() -> None:
    assert {p.parent.name for p in (ROOT / "functions").glob("*/handler.py")} == set(BY_NAME)


def test_the_vocabulary_has_no_word_for_a_wildcard_nor_for_writing_the_audit() -> None:
    with pytest.raises(ValueError, match="append-only"):
        Write("audit")
    with pytest.raises(ValueError, match="Name the actions"):
        allow(["s3:*"], ["*"])


def writes(synthesised: Synthesised, function: str, table: str) -> list[dict[str, Any]]:
    """Statements by which a function may change items of a table."""
    return [
        statement
        for statement in policy_of(synthesised, function)
        if any(text(r).endswith(f"-{table}") for r in as_list(statement["Resource"]))
        and {"dynamodb:PutItem", "dynamodb:UpdateItem"} & set(as_list(statement["Action"]))
    ]


@pytest.mark.parametrize(
    ("function", "table", "keys"),
    [
        ("score", "registry", "refused#*"),
        ("score_batch", "registry", "refused#*"),
        ("monitor", "online", "canary#*"),
    ],
)
def test_who_keeps_a_little_of_its_own_in_a_table_writes_nothing_else_there(
    any_environment: Synthesised, function: str, table: str, keys: str
) -> None:
    (statement,) = writes(any_environment, function, table)
    assert statement["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [keys]}}
    assert set(as_list(statement["Action"])) == {"dynamodb:PutItem", "dynamodb:UpdateItem"}


def test_only_those_who_build_features_and_operate_reach_a_block(dev: Synthesised) -> None:
    """Whoever scores could otherwise lift what stops it."""
    for function in ("score", "score_batch", "shadow_score", "record_outcome"):
        for statement in writes(dev, function, "registry"):
            (keys,) = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
            assert not "block#payroll_anomaly".startswith(keys.removesuffix("*"))
    for function in ("build_features", "operate"):
        assert writes(dev, function, "registry")


def test_keys_that_may_be_written_are_named_by_their_beginning() -> None:
    for keys in ((), ("*",), ("*#x",)):
        with pytest.raises(ValueError, match="Name the keys"):
            WriteKeys("registry", keys)
    with pytest.raises(ValueError, match="append-only"):
        WriteKeys("audit", ("x#*",))
