"""Alarms and a dashboard: thin, and derived from what is deployed."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import Environment as Where
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from countersign import use_cases

from infra.names import Names
from infra.settings import Environment
from infra.stacks.compute import ComputeStack
from infra.stacks.storage import StorageStack
from infra.stacks.workflows import WorkflowsStack

CALM = cloudwatch.TreatMissingData.NOT_BREACHING
SILENT = cloudwatch.TreatMissingData.BREACHING
OVER = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
UNDER = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
NAMESPACE = "Countersign"
# Lookups: what is promised on AWS, and the outer limit. Milliseconds.
PROMISED_MS, LIMIT_MS = 10, 100


class WatchStack(Stack):
    """What wakes a person, and where they look first."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment,
        names: Names,
        storage: StorageStack,
        compute: ComputeStack,
        workflows: WorkflowsStack,
    ) -> None:
        where = Where(account=environment.account or None, region=environment.region or None)
        super().__init__(scope, id_, env=where, description="Countersign: alarms and dashboard")
        self.names = names
        self.action = actions.SnsAction(storage.notices)
        self.dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=names.of("overview")
        )
        self._queues({**compute.dead, "events": workflows.dead})
        self._functions(compute)
        self._api(compute)
        self._store()
        self._refusals()
        CfnOutput(self, "DashboardName", value=names.of("overview"))

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        why: str,
        *,
        when: cloudwatch.ComparisonOperator = OVER,
        silence: cloudwatch.TreatMissingData = CALM,
    ) -> None:
        """An alarm that sends a notice; its description says what to do."""
        alarm = cloudwatch.Alarm(
            self,
            f"Alarm-{name}",
            alarm_name=self.names.of(name),
            alarm_description=why,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=when,
            treat_missing_data=silence,
        )
        alarm.add_alarm_action(self.action)

    def _queues(self, dead: Mapping[str, sqs.IQueue]) -> None:
        """Anything in a dead-letter queue is work that was not done."""
        for name, queue in dead.items():
            self._alarm(
                f"{name}-dead-letters",
                queue.metric_approximate_number_of_messages_visible(period=Duration.minutes(1)),
                1,
                f"Messages that nobody could handle wait in the {name} dead-letter queue",
            )

    def _functions(self, compute: ComputeStack) -> None:
        """Errors of every function; the latency of the one that answers."""
        errors = []
        for name, function in compute.functions.items():
            metric = function.function.metric_errors(period=Duration.minutes(5))
            errors.append(metric)
            self._alarm(f"{name}-errors", metric, 5, f"{name} fails: see its log group")
        score = compute.functions["score"].function
        latency = score.metric_duration(period=Duration.minutes(5), statistic="p99")
        self._alarm(
            "score-latency", latency, 200, "Scoring takes over 200 ms at the 99th percentile"
        )
        self.dashboard.add_widgets(
            cloudwatch.GraphWidget(title="Errors by function", left=errors, width=12),
            cloudwatch.GraphWidget(title="Scoring, P99 ms", left=[latency], width=12),
        )

    def _api(self, compute: ComputeStack) -> None:
        """What callers see."""
        rest = compute.api.rest
        failures = rest.metric_server_error(period=Duration.minutes(5), statistic="avg")
        self._alarm("api-failures", failures, 0.05, "Over 5 % of requests fail on our side")
        self.dashboard.add_widgets(
            cloudwatch.GraphWidget(title="API requests", left=[rest.metric_count()], width=12),
            cloudwatch.GraphWidget(title="API failures, share", left=[failures], width=12),
        )

    def _store(self) -> None:
        """The feature store, as its canary finds it every five minutes, and what was refused."""
        available = self._canary("Available", "Minimum")
        lookup = self._canary("LookupMs", "Average")
        # Three probes fall into a quarter of an hour: no word of any of them is as bad as a failure.
        self._alarm(
            "store-unavailable",
            available,
            1,
            "The feature store failed its canary, or nobody asked it: docs/runbooks/feature-store.md",
            when=UNDER,
            silence=SILENT,
        )
        self._alarm(
            "store-lookup",
            lookup,
            LIMIT_MS,
            "A lookup in the feature store takes over 100 ms: docs/runbooks/feature-store.md",
        )
        self.dashboard.add_widgets(
            cloudwatch.GraphWidget(
                title="Feature store, canary",
                left=[available, self._canary("ErrorBudgetSpent", "Maximum")],
                width=12,
            ),
            cloudwatch.GraphWidget(
                title="Feature store, ms",
                left=[lookup, self._canary("WriteMs", "Average")],
                left_annotations=[
                    cloudwatch.HorizontalAnnotation(value=PROMISED_MS, label="promised"),
                    cloudwatch.HorizontalAnnotation(value=LIMIT_MS, label="limit"),
                ],
                width=12,
            ),
        )

    def _refusals(self) -> None:
        """Requests that could not be scored for the data's sake, by use case and reason."""
        refused: list[cloudwatch.IMetric] = [
            cloudwatch.Metric(
                namespace=NAMESPACE,
                metric_name="Refused",
                dimensions_map={"use_case": name, "error": error},
                statistic="Sum",
                period=Duration.minutes(5),
                label=f"{name}: {error}",
            )
            for name in use_cases.all_use_cases()
            for error in ("StaleFeatureError", "QualityBlockError")
        ]
        self.dashboard.add_widgets(
            cloudwatch.GraphWidget(title="Refused for their data", left=refused, width=24)
        )

    def _canary(self, name: str, statistic: str) -> cloudwatch.Metric:
        """A metric that the canary writes."""
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={"store": "online"},
            statistic=statistic,
            period=Duration.minutes(15),
        )
