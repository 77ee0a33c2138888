"""What starts by itself, and what people may start."""

import json
from fnmatch import fnmatchcase
from typing import Any

from infra.machines import MACHINES
from infra.routes import ROLES, routes
from tests.infra.conftest import Resource, Synthesised, as_list, text


def rules(synthesised: Synthesised) -> dict[str, Resource]:
    return {p["Name"].split("-", 2)[2]: p for p in synthesised.properties("AWS::Events::Rule")}


def policy(synthesised: Synthesised, role: str) -> list[dict[str, Any]]:
    (found,) = [
        p
        for p in synthesised.properties("AWS::IAM::ManagedPolicy")
        if p["ManagedPolicyName"] == f"countersign-{synthesised.environment}-{role}"
    ]
    statements: list[dict[str, Any]] = found["PolicyDocument"]["Statement"]
    return statements


def granted(synthesised: Synthesised, role: str, action: str) -> list[str]:
    return [
        text(resource)
        for statement in policy(synthesised, role)
        if action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]


def test_every_machine_is_deployed_traced_and_logged(any_environment: Synthesised) -> None:
    machines = any_environment.properties("AWS::StepFunctions::StateMachine")
    assert {m["StateMachineName"].split("-", 2)[2] for m in machines} == {m.name for m in MACHINES}
    for machine in machines:
        assert machine["LoggingConfiguration"]["Level"] == "ALL"
        assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
        assert machine["TracingConfiguration"]["Enabled"] is True


def test_no_token_is_left_in_a_definition(any_environment: Synthesised) -> None:
    for machine in any_environment.properties("AWS::StepFunctions::StateMachine"):
        definition = text(machine["DefinitionString"])
        assert "${" not in definition.replace("${AWS::", "")  # an asset's address has the account's
        assert json.loads(definition)["StartAt"]


def test_schedules_start_what_they_say(any_environment: Synthesised) -> None:
    found = rules(any_environment)
    starts = {
        name: (text(rule["Targets"][0]["Arn"]), rule["Targets"][0]["Input"])
        for name, rule in found.items()
        if "ScheduleExpression" in rule
    }
    ends = {name: (arn.split("<")[-1], body) for name, (arn, body) in starts.items()}
    assert {name: body for name, (_, body) in ends.items()} == {
        "daily-features": "{}",
        "daily-checks": '{"checks":"daily"}',
        "daily-seal": "{}",
        "daily-cadence": '{"action":"cadence"}',
        "daily-availability": '{"action":"availability"}',
        "store-canary": '{"action":"canary"}',
        "reconcile-approvals": '{"action":"reconcile"}',
        "weekly-psi": '{"checks":"weekly"}',
    }
    assert "monitoring" in ends["weekly-psi"][0]
    assert "features" in ends["daily-features"][0]


def test_a_schedule_is_a_rate_or_a_valid_cron_of_six_fields(any_environment: Synthesised) -> None:
    for rule in rules(any_environment).values():
        if "ScheduleExpression" in rule:
            expression = rule["ScheduleExpression"]
            if expression == "rate(5 minutes)":
                continue
            assert expression.startswith("cron(")
            assert len(expression[5:-1].split()) == 6
            assert "?" in expression


def test_a_file_is_ingested_and_a_closing_marker_starts_the_features(
    any_environment: Synthesised,
) -> None:
    found = rules(any_environment)
    arrived, closed = found["file-arrived"], found["delivery-closed"]
    keys = [r["EventPattern"]["detail"]["object"]["key"] for r in (arrived, closed)]
    assert keys == [[{"wildcard": "raw/*/ingest_date=*/*"}], [{"wildcard": "raw/_COMPLETE/*"}]]
    template = arrived["Targets"][0]["InputTransformer"]
    assert set(template["InputPathsMap"].values()) == {
        "$.detail.object.key",
        "$.detail.object.etag",
    }


def test_no_person_may_start_training_nor_promotion(any_environment: Synthesised) -> None:
    for role in ROLES:
        started = granted(any_environment, role, "states:StartExecution")
        assert not any(arn.endswith(("-training", "-promotion", "-approval")) for arn in started)


def test_only_its_own_role_may_start_a_decide_machine(any_environment: Synthesised) -> None:
    for role in ROLES:
        decides = [
            arn.split(":stateMachine:")[1].split("-", 2)[2]
            for arn in granted(any_environment, role, "states:StartExecution")
            if "-decide-" in arn
        ]
        assert decides in ([f"decide-{role}"], [])


def test_a_scoring_client_scores_and_reports_outcomes_and_nothing_more(
    any_environment: Synthesised,
) -> None:
    actions = {a for s in policy(any_environment, "scoring-client") for a in as_list(s["Action"])}
    assert actions == {"execute-api:Invoke"}
    paths = {
        arn.split("/live/")[1]
        for arn in granted(any_environment, "scoring-client", "execute-api:Invoke")
    }
    assert "POST/v1/payroll/anomaly/score" in paths
    assert not any(path.startswith(("GET/v1/models", "GET/v1/predictions")) for path in paths)


def test_an_auditor_changes_nothing(any_environment: Synthesised) -> None:
    actions = {a for s in policy(any_environment, "auditor") for a in as_list(s["Action"])}
    assert not any(
        word in action for action in actions for word in ("Start", "Put", "Update", "Publish")
    )
    paths = granted(any_environment, "auditor", "execute-api:Invoke")
    assert all("/live/GET/" in path for path in paths)


def test_feature_history_and_training_sets_are_read_by_those_who_answer_for_them(
    any_environment: Synthesised,
) -> None:
    readers: dict[str, set[str]] = {}
    for role in ROLES:
        for arn in granted(any_environment, role, "s3:GetObject"):
            readers.setdefault(arn.rpartition("/")[0].rpartition("/")[2], set()).add(role)
    assert readers["offline"] == readers["datasets"] == {"ml-engineer", "data-scientist", "auditor"}
    assert readers["sources"] == {"data-scientist", "auditor"}


def test_a_listing_is_of_the_prefixes_that_may_be_read(any_environment: Synthesised) -> None:
    for role in ROLES:
        for statement in policy(any_environment, role):
            if "s3:ListBucket" in as_list(statement["Action"]):
                bucket = text(as_list(statement["Resource"])[0])
                prefixes = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix")
                assert prefixes or "-models-" in bucket, (role, bucket)


def test_only_the_operator_fills_the_online_store_by_hand(any_environment: Synthesised) -> None:
    invoked = {r: granted(any_environment, r, "lambda:InvokeFunction") for r in ROLES}
    assert [r for r in ROLES if invoked[r]] == ["operator"]
    names = {arn.rpartition("-")[2] for arn in invoked["operator"]}
    assert names == {"monitor", "audit", "materialize"}


def test_a_managed_policy_fits(any_environment: Synthesised) -> None:
    account, region, api = "1" * 12, "ap-southeast-1", "a" * 10
    for found in any_environment.properties("AWS::IAM::ManagedPolicy"):
        whole = json.dumps(flat(found["PolicyDocument"]), separators=(",", ":"))
        for reference, real in (("<AWS::AccountId>", account), ("<AWS::Region>", region)):
            whole = whole.replace(reference, real)
        whole = whole.replace("<AWS::Partition>", "aws")
        start = whole.find("<Countersign-")
        while start >= 0:
            whole = whole[:start] + api + whole[whole.find(">", start) + 1 :]
            start = whole.find("<Countersign-")
        assert len(whole) <= 6144, (found["ManagedPolicyName"], len(whole))


def flat(value: Any) -> Any:
    if isinstance(value, dict):
        intrinsic = any(key.startswith("Fn::") or key == "Ref" for key in value)
        return text(value) if intrinsic else {k: flat(v) for k, v in value.items()}
    return [flat(v) for v in value] if isinstance(value, list) else value


def test_people_are_roles_on_aws_and_only_policies_locally(
    every_environment: dict[str, Synthesised],
) -> None:
    for name, synthesised in every_environment.items():
        roles = {p.get("RoleName") for p in synthesised.properties("AWS::IAM::Role")}
        people = {f"countersign-{name}-{role}" for role in ROLES}
        assert (people <= roles) is (name != "local")
        assert name != "local" or not people & roles


# IAM's `*` matches slashes: who may read a prediction is let through to its replay, and it is told so here.
LET_THROUGH = {"GET/v1/predictions/x/replay"}


def test_a_policy_opens_the_routes_of_its_role_and_no_others(dev: Synthesised) -> None:
    """As IAM reads it."""
    for role in ROLES:
        paths = {a.split("/live/")[1] for a in granted(dev, role, "execute-api:Invoke")}
        assert paths <= {route.arn_path for route in routes() if role in route.roles}
        for route in routes():
            called = route.arn_path.replace("*", "x")
            opened = any(fnmatchcase(called, path) for path in paths)
            assert opened or role not in route.roles, (role, called)
            assert role in route.roles or not opened or called in LET_THROUGH, (role, called)


def test_an_event_that_reaches_nobody_ends_where_an_alarm_sees_it(
    any_environment: Synthesised,
) -> None:
    for rule in rules(any_environment).values():
        for target in rule["Targets"]:
            assert "Deadevents" in text(target["DeadLetterConfig"]["Arn"])
    alarms = {a["AlarmName"] for a in any_environment.properties("AWS::CloudWatch::Alarm")}
    assert f"countersign-{any_environment.environment}-events-dead-letters" in alarms


def test_a_machine_with_a_distributed_map_may_run_its_own_children_and_read_their_list_only(
    any_environment: Synthesised,
) -> None:
    (statements,) = [
        policy["PolicyDocument"]["Statement"]
        for policy in any_environment.properties("AWS::IAM::Policy")
        if policy["PolicyName"].startswith("featuresPolicy")
    ]
    found = {
        action: sorted(text(r).split(":")[-1] for r in as_list(s["Resource"]))
        for s in statements
        for action in as_list(s["Action"])
        if action.startswith(("states:", "s3:"))
    }
    machine = f"countersign-{any_environment.environment}-features"
    assert found["states:StartExecution"] == [machine]
    assert found["states:StopExecution"] == found["states:DescribeExecution"] == [f"{machine}/*"]
    assert len(found["s3:GetObject"]) == 1
    assert found["s3:GetObject"][0].endswith("/builds/plans/*")
