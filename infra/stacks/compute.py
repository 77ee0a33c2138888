"""What runs: layers, functions, queues, the API, and everything that wakes a function."""

from __future__ import annotations

import json

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import Environment as Where
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.assets import check_sizes, layer_code
from infra.catalog import BY_NAME, FUNCTIONS, USED_LAYERS
from infra.constructs.api import Api
from infra.constructs.function import RUNTIME, CatalogueFunction, Surroundings, architecture
from infra.constructs.queues import dead_letters, work_queue
from infra.names import Names
from infra.permissions import Wiring
from infra.routes import routes
from infra.settings import Environment
from infra.stacks.storage import StorageStack

CONSUMERS = {"shadow": "shadow_score", "archive": "archive_predictions"}
FORWARDED = (
    {"eventName": ["INSERT"]},
    {
        "eventName": ["MODIFY"],
        "dynamodb": {"NewImage": {"outcome": {"M": {"at": {"S": [{"exists": True}]}}}}},
    },
)


class ComputeStack(Stack):
    """Functions by their catalogue, and the ways into them."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment,
        names: Names,
        storage: StorageStack,
        placeholder: bool,
    ) -> None:
        where = Where(account=environment.account or None, region=environment.region or None)
        super().__init__(scope, id_, env=where, description="Countersign: functions, queues, API")
        self.names = names
        self.placeholder = placeholder
        self.dead = {n: dead_letters(self, n, names, storage.data_key) for n in CONSUMERS}
        self.queues = {
            name: work_queue(
                self,
                name,
                names,
                storage.data_key,
                consumer=BY_NAME[consumer],
                dead=self.dead[name],
            )
            for name, consumer in CONSUMERS.items()
        }
        shared = self._surroundings(environment, storage, placeholder=placeholder)
        self.functions = {row.name: CatalogueFunction(self, row, shared) for row in FUNCTIONS}
        self._wake_consumers(storage)
        self.api = Api(
            self,
            environment=environment,
            names=names,
            key=storage.data_key,
            routes=routes(),
            functions=self._entrances(environment),
        )
        self._outputs()

    def _surroundings(
        self, environment: Environment, storage: StorageStack, *, placeholder: bool
    ) -> Surroundings:
        """What all functions share; their sizes are checked before any is made."""
        if not placeholder:
            check_sizes(environment.target)
        return Surroundings(
            environment=environment,
            wiring=Wiring(
                names=self.names,
                data_key_arn=storage.data_key.key_arn,
                signing_key_arn=storage.signing_key.key_arn,
                queue_urls={name: queue.queue_url for name, queue in self.queues.items()},
                serving=self.names.of("score") + (":live" if environment.kept_warm else ""),
            ),
            data_key=storage.data_key,
            layers={
                weight: self._layer(weight, environment, placeholder=placeholder)
                for weight in USED_LAYERS
            },
        )

    def _layer(
        self, weight: str, environment: Environment, *, placeholder: bool
    ) -> lambda_.LayerVersion:
        """One weight. Where data is protected old versions are kept: functions may go back to them."""
        return lambda_.LayerVersion(
            self,
            f"Layer-{weight}",
            layer_version_name=self.names.of(f"layer-{weight}"),
            description=f"Countersign: {weight}",
            code=layer_code(weight, environment.target, placeholder=placeholder),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[architecture(environment)],
            removal_policy=RemovalPolicy.RETAIN
            if environment.deletion_protection
            else RemovalPolicy.DESTROY,
        )

    def _wake_consumers(self, storage: StorageStack) -> None:
        """New predictions and outcomes → forwarder → queues → consumers. A shadow's score wakes nobody."""
        # Mappings by property: the event source classes would widen the roles of the catalogue.
        table = storage.tables["predictions"]
        lambda_.CfnEventSourceMapping(
            self,
            "FromPredictions",
            function_name=self.functions["forward_predictions"].function.function_arn,
            event_source_arn=table.table_stream_arn,
            starting_position="TRIM_HORIZON",
            batch_size=100,
            maximum_batching_window_in_seconds=0,
            bisect_batch_on_function_error=True,
            maximum_retry_attempts=100,
            function_response_types=["ReportBatchItemFailures"],
            filter_criteria=lambda_.CfnEventSourceMapping.FilterCriteriaProperty(
                filters=[
                    lambda_.CfnEventSourceMapping.FilterProperty(pattern=json.dumps(pattern))
                    for pattern in FORWARDED
                ]
            ),
        ).node.add_dependency(self.functions["forward_predictions"])
        for queue, consumer in CONSUMERS.items():
            lambda_.CfnEventSourceMapping(
                self,
                f"From-{queue}",
                function_name=self.functions[consumer].function.function_arn,
                event_source_arn=self.queues[queue].queue_arn,
                batch_size=10,
                function_response_types=["ReportBatchItemFailures"],
            ).node.add_dependency(self.functions[consumer])

    def _entrances(self, environment: Environment) -> dict[str, lambda_.IFunction]:
        """What the API invokes: the function, or its `live` alias where it is kept warm."""
        found: dict[str, lambda_.IFunction] = {
            name: self.functions[name].function for name in ("score", "operate", "record_outcome")
        }
        if environment.kept_warm:
            found["score"] = self._warm(environment)
        return found

    def _warm(self, environment: Environment) -> lambda_.Alias:
        """Score by a published version, from a snapshot or with workers that wait."""
        function = self.functions["score"].function
        if environment.snap_start:
            cfn = function.node.default_child
            assert isinstance(cfn, lambda_.CfnFunction)
            cfn.snap_start = lambda_.CfnFunction.SnapStartProperty(apply_on="PublishedVersions")
        return lambda_.Alias(
            self,
            "ScoreLive",
            alias_name="live",
            version=function.current_version,
            provisioned_concurrent_executions=environment.provisioned_concurrency or None,
        )

    def _outputs(self) -> None:
        """Names for whoever deploys."""
        for name, function in self.functions.items():
            CfnOutput(self, f"Function{pascal(name)}", value=function.function.function_name)
        for name, queue in {
            **self.queues,
            **{f"{n}_dead": q for n, q in self.dead.items()},
        }.items():
            CfnOutput(self, f"Queue{pascal(name)}", value=queue.queue_url)


def pascal(name: str) -> str:
    """`export_model` → `ExportModel`."""
    return "".join(word.title() for word in name.replace("-", "_").split("_"))
