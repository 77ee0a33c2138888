"""What wakes a person about the feature store."""

from __future__ import annotations

import json

from countersign import use_cases

from tests.infra.conftest import Resource, Synthesised, text


def alarm(synthesised: Synthesised, name: str) -> Resource:
    wanted = f"countersign-{synthesised.environment}-{name}"
    (found,) = [
        a for a in synthesised.properties("AWS::CloudWatch::Alarm") if a["AlarmName"] == wanted
    ]
    return found


def test_a_failed_canary_or_a_silent_one_is_an_alarm(any_environment: Synthesised) -> None:
    found = alarm(any_environment, "store-unavailable")
    assert (found["Namespace"], found["MetricName"]) == ("Countersign", "Available")
    assert found["Dimensions"] == [{"Name": "store", "Value": "online"}]
    assert (found["Statistic"], found["ComparisonOperator"]) == ("Minimum", "LessThanThreshold")
    assert (found["Threshold"], found["TreatMissingData"]) == (1, "breaching")
    assert found["AlarmActions"]


def test_a_lookup_past_the_outer_limit_is_an_alarm(any_environment: Synthesised) -> None:
    found = alarm(any_environment, "store-lookup")
    assert (found["MetricName"], found["Threshold"]) == ("LookupMs", 100)
    assert found["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


def test_the_dashboard_shows_the_store_and_what_was_refused(dev: Synthesised) -> None:
    (board,) = dev.properties("AWS::CloudWatch::Dashboard")
    body = text(board["DashboardBody"])
    for metric in ("LookupMs", "ErrorBudgetSpent", "Refused"):
        assert json.dumps(metric) in body
    for name in use_cases.all_use_cases():
        assert f"{name}: QualityBlockError" in body
