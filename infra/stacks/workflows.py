"""State machines, what starts them, and what people may do."""

from __future__ import annotations

from aws_cdk import Aws, CfnOutput, Duration, Stack
from aws_cdk import Environment as Where
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import people, training
from infra.acknowledgements import acknowledge, acknowledge_objects
from infra.constructs.queues import dead_letters
from infra.constructs.state_machine import WorkflowMachine
from infra.machines import MACHINES
from infra.names import Names
from infra.routes import ROLES, routes
from infra.settings import Environment
from infra.stacks.compute import ComputeStack, pascal
from infra.stacks.storage import StorageStack
from infra.training import TrainingJobs

# Times are UTC. Each schedule starts one machine or function with a constant input.
TIMES = {
    "daily-features": events.Schedule.cron(minute="15", hour="2"),
    "daily-checks": events.Schedule.cron(minute="0", hour="5"),
    "daily-seal": events.Schedule.cron(minute="55", hour="23"),
    "daily-cadence": events.Schedule.cron(minute="20", hour="5"),
    "daily-availability": events.Schedule.cron(minute="10", hour="5"),
    "reconcile-approvals": events.Schedule.rate(Duration.minutes(5)),
    "store-canary": events.Schedule.rate(Duration.minutes(5)),
    "weekly-psi": events.Schedule.cron(minute="0", hour="6", week_day="MON"),
}


class WorkflowsStack(Stack):
    """Machines, schedules, arrivals, roles."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment,
        names: Names,
        storage: StorageStack,
        compute: ComputeStack,
    ) -> None:
        where = Where(account=environment.account or None, region=environment.region or None)
        super().__init__(
            scope, id_, env=where, description="Countersign: state machines, schedules, roles"
        )
        self.names = names
        self.compute = compute
        self.dead = dead_letters(self, "events", names, storage.data_key)
        acknowledge(self.dead, {"SQS3": "This queue is where events end that reached nobody"})
        CfnOutput(self, "QueueEventsDead", value=self.dead.queue_url)
        jobs = None
        if environment.training_backend == "sagemaker":
            jobs = TrainingJobs(
                self,
                environment=environment,
                names=names,
                key=storage.data_key,
                placeholder=compute.placeholder,
            )
        self.machines = {
            row.name: WorkflowMachine(
                self,
                row,
                environment=environment,
                names=names,
                key=storage.data_key,
                jobs=jobs if row.name == training.MACHINE else None,
            )
            for row in MACHINES
        }
        for name, machine in self.machines.items():
            CfnOutput(self, f"Machine{pascal(name)}", value=machine.machine.state_machine_arn)
        self._schedules()
        self._arrivals()
        # An export by hand: its text is known now, for the acknowledgements, and not only at synth.
        self.api_id = compute.export_value(compute.api.rest.rest_api_id)
        for role in ROLES:
            self._role(role, environment, storage)

    def _machine_target(self, name: str, message: events.RuleTargetInput) -> events.IRuleTarget:
        """Start a machine; what could not be started goes to the events' dead letters."""
        return targets.SfnStateMachine(
            self.machines[name].machine,
            input=message,
            retry_attempts=3,
            max_event_age=Duration.hours(2),
            dead_letter_queue=self.dead,
        )

    def _function_target(self, name: str, message: events.RuleTargetInput) -> events.IRuleTarget:
        """Invoke a function of the catalogue."""
        return targets.LambdaFunction(
            self.compute.functions[name].function,
            event=message,
            retry_attempts=3,
            max_event_age=Duration.hours(2),
            dead_letter_queue=self.dead,
        )

    def _schedules(self) -> None:
        """By the clock. A drift schedule ends in proposals; it cannot start training, by IAM."""
        empty = events.RuleTargetInput.from_object({})
        wanted = {
            "daily-features": self._machine_target("features", empty),
            "daily-checks": self._machine_target(
                "monitoring", events.RuleTargetInput.from_object({"checks": "daily"})
            ),
            "daily-seal": self._function_target("seal_audit", empty),
            # Ends in a proposal too: a person approves it, and the approval machine alone starts training.
            "daily-cadence": self._function_target(
                "monitor", events.RuleTargetInput.from_object({"action": "cadence"})
            ),
            "daily-availability": self._function_target(
                "monitor", events.RuleTargetInput.from_object({"action": "availability"})
            ),
            "store-canary": self._function_target(
                "monitor", events.RuleTargetInput.from_object({"action": "canary"})
            ),
            # Expires what is overdue, and wakes what was decided while nobody heard it.
            "reconcile-approvals": self._function_target(
                "approval", events.RuleTargetInput.from_object({"action": "reconcile"})
            ),
            "weekly-psi": self._machine_target(
                "monitoring", events.RuleTargetInput.from_object({"checks": "weekly"})
            ),
        }
        for name, target in wanted.items():
            rule = events.Rule(
                self,
                f"Schedule-{name}",
                rule_name=self.names.of(name),
                schedule=TIMES[name],
                targets=[target],
            )
            CfnOutput(self, f"Schedule{pascal(name)}", value=rule.rule_name)

    def _arrivals(self) -> None:
        """A file → `ingest`; the marker that closes a delivery → the features machine."""
        key = events.EventField.from_path("$.detail.object.key")
        etag = events.EventField.from_path("$.detail.object.etag")
        self._arrival(
            "file-arrived",
            "raw/*/ingest_date=*/*",
            self._function_target(
                "ingest", events.RuleTargetInput.from_object({"key": key, "etag": etag})
            ),
        )
        self._arrival(
            "delivery-closed",
            "raw/_COMPLETE/*",
            self._machine_target("features", events.RuleTargetInput.from_object({"delivery": key})),
        )

    def _arrival(self, name: str, keys: str, target: events.IRuleTarget) -> None:
        """Objects of the raw bucket whose key is like `keys`."""
        rule = events.Rule(
            self,
            f"Arrival-{name}",
            rule_name=self.names.of(name),
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [self.names.bucket("raw")]},
                    "object": {"key": events.Match.wildcard(keys)},
                },
            ),
            targets=[target],
        )
        CfnOutput(self, f"Rule{pascal(name)}", value=rule.rule_name)

    def _role(self, role: str, environment: Environment, storage: StorageStack) -> None:
        """One managed policy for each human role, and on AWS the role that carries it."""
        granted = people.statements(
            role,
            names=self.names,
            routes=routes(),
            api_id=self.api_id,
            data_key_arn=storage.data_key.key_arn,
        )
        policy = iam.ManagedPolicy(
            self,
            f"Policy-{role}",
            managed_policy_name=self.names.of(role),
            description=f"Countersign: what a {role} may do",
            statements=granted,
        )
        acknowledge_objects(
            policy, granted, "A route's path parameters, objects below a prefix, executions"
        )
        CfnOutput(self, f"Policy{pascal(role)}", value=policy.managed_policy_arn)
        if environment.human_roles:
            made = iam.Role(
                self,
                f"Role-{role}",
                role_name=self.names.of(role),
                description=f"Countersign: {role}. The session's name is the person",
                assumed_by=iam.AccountPrincipal(Aws.ACCOUNT_ID),
                managed_policies=[policy],
                max_session_duration=Duration.hours(8),
            )
            CfnOutput(self, f"Role{pascal(role)}", value=made.role_arn)
