"""The REST API: routes from the table, IAM callers, validation at the edge, a plan for each client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aws_cdk import Aws, CfnOutput, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.constructs.logs import log_group
from infra.names import Names
from infra.routes import Route
from infra.settings import Environment

STAGE = "live"
ACCESS_LOG = (
    '{"at":"$context.requestTime","request_id":"$context.requestId","caller":'
    '"$context.identity.userArn","method":"$context.httpMethod","resource":'
    '"$context.resourcePath","status":"$context.status","ms":"$context.responseLatency"}'
)
PROBLEMS = {
    apigateway.ResponseType.BAD_REQUEST_BODY: (400, "request", "The request is malformed"),
    apigateway.ResponseType.BAD_REQUEST_PARAMETERS: (400, "request", "The request is malformed"),
    apigateway.ResponseType.ACCESS_DENIED: (403, "forbidden", "Not allowed"),
    apigateway.ResponseType.MISSING_AUTHENTICATION_TOKEN: (403, "forbidden", "Not allowed"),
    apigateway.ResponseType.THROTTLED: (429, "throttled", "Too many requests"),
    apigateway.ResponseType.QUOTA_EXCEEDED: (429, "throttled", "Too many requests"),
    apigateway.ResponseType.INTEGRATION_TIMEOUT: (504, "transient", "Try again"),
}


class Api(Construct):
    """`/v1/…` at the stage `live`; errors of the gateway itself are problem+json too."""

    def __init__(
        self,
        scope: Construct,
        *,
        environment: Environment,
        names: Names,
        key: kms.IKey,
        routes: Iterable[Route],
        functions: Mapping[str, lambda_.IFunction],
    ) -> None:
        super().__init__(scope, "Api")
        self.environment_settings = environment
        self.names = names
        self.rest = self._rest(key)
        self.validator = self.rest.add_request_validator(
            "Validator", validate_request_body=True, validate_request_parameters=True
        )
        self.integrations: dict[str, apigateway.Integration] = {}
        for route in routes:
            self._route(route, functions)
        for type_, (status, slug, title) in PROBLEMS.items():
            self._problem(type_, status, slug, title)
        for client in environment.clients:
            self._plan(client)
        acknowledge(
            self,
            {
                "APIG3": "Only signed callers get past the edge; a web ACL is the account's choice",
                "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
                "AmazonAPIGatewayPushToCloudWatchLogs]": "The role that API Gateway's account "
                "setting asks for; AWS publishes exactly this policy for it",
                "COG4": "Callers are IAM principals (SigV4): the role is the identity",
            },
        )
        CfnOutput(scope, "ApiId", value=self.rest.rest_api_id)
        CfnOutput(scope, "ApiStage", value=STAGE)
        CfnOutput(scope, "ApiUrl", value=self.rest.url)

    def _rest(self, key: kms.IKey) -> apigateway.RestApi:
        """The API, its stage, its access log, its resource-less defaults."""
        settings, names = self.environment_settings, self.names
        logs = log_group(self, f"/aws/apigateway/{names.of('api')}", settings, key)
        return apigateway.RestApi(
            self,
            "Rest",
            rest_api_name=names.of("api"),
            description=f"Countersign, {settings.name}",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            # Without this account-wide role API Gateway writes no log at all.
            cloud_watch_role=settings.target == "aws",
            cloud_watch_role_removal_policy=RemovalPolicy.RETAIN
            if settings.target == "aws"
            else None,
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                tracing_enabled=True,
                metrics_enabled=True,
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,
                throttling_rate_limit=settings.api_rate_per_second,
                throttling_burst_limit=settings.api_burst,
                access_log_destination=apigateway.LogGroupLogDestination(logs),
                access_log_format=apigateway.AccessLogFormat.custom(ACCESS_LOG),
            ),
            default_method_options=apigateway.MethodOptions(
                authorization_type=apigateway.AuthorizationType.IAM
            ),
        )

    def _route(self, route: Route, functions: Mapping[str, lambda_.IFunction]) -> None:
        """One method."""
        resource = self.rest.root.resource_for_path(route.resource)
        model = self._model(route) if route.schema else None
        resource.add_method(
            route.method,
            self._integration(route.function, functions[route.function]),
            api_key_required=route.metered and self.environment_settings.client_keys,
            request_validator=self.validator,
            request_models={"application/json": model} if model else None,
        )

    def _integration(self, name: str, function: lambda_.IFunction) -> apigateway.Integration:
        """One integration and one permission for each function, whatever its number of routes."""
        if name not in self.integrations:
            uri = (
                f"arn:{Aws.PARTITION}:apigateway:{Aws.REGION}:lambda:path/2015-03-31/functions/"
                f"{function.function_arn}/invocations"
            )
            self.integrations[name] = apigateway.Integration(
                type=apigateway.IntegrationType.AWS_PROXY, integration_http_method="POST", uri=uri
            )
            lambda_.CfnPermission(
                self,
                f"Invoke-{name}",
                action="lambda:InvokeFunction",
                function_name=function.function_arn,
                principal="apigateway.amazonaws.com",
                source_arn=self.rest.arn_for_execute_api("*", "/*", STAGE),
            )
        return self.integrations[name]

    def _model(self, route: Route) -> apigateway.IModel:
        """The body's schema, named after its path."""
        words = [word.title() for word in route.resource.replace("-", "/").split("/") if word]
        cfn = apigateway.CfnModel(
            self,
            f"Model{''.join(words)}",
            rest_api_id=self.rest.rest_api_id,
            name="".join(words),
            content_type="application/json",
            schema={"$schema": "http://json-schema.org/draft-04/schema#", **route.schema},
        )
        # A changed schema is a changed API: without this it would not be deployed to the stage.
        deployment = self.rest.latest_deployment
        if deployment is not None:
            deployment.add_to_logical_id(route.schema)
            deployment.node.add_dependency(cfn)
        return apigateway.Model.from_model_name(self, f"{''.join(words)}Ref", cfn.ref)

    def _problem(self, type_: apigateway.ResponseType, status: int, slug: str, title: str) -> None:
        """What the gateway says when it refuses by itself; never an echo of the request."""
        body = (
            f'{{"type":"urn:countersign:problem:{slug}","title":"{title}","status":{status},'
            f'"request_id":"$context.requestId","retryable":{str(status >= 429).lower()},'
            '"errors":[]}'
        )
        self.rest.add_gateway_response(
            f"{type_.response_type.title().replace('_', '')}Problem",
            type=type_,
            status_code=str(status),
            response_headers={"Content-Type": "'application/problem+json'"},
            templates={"application/json": body},
        )

    def _plan(self, client: str) -> None:
        """A calling application's own throttle, counted by its key."""
        settings = self.environment_settings
        plan = self.rest.add_usage_plan(
            f"Plan-{client}",
            name=self.names.of(f"plan-{client}"),
            throttle=apigateway.ThrottleSettings(
                rate_limit=settings.client_rate_per_second, burst_limit=settings.client_burst
            ),
        )
        plan.add_api_stage(stage=self.rest.deployment_stage)
        key = self.rest.add_api_key(f"Key-{client}", api_key_name=self.names.of(f"key-{client}"))
        plan.add_api_key(key)

    def invoke_statement(self, paths: Iterable[str]) -> iam.PolicyStatement:
        """Leave to call these ends of `execute-api` ARNs."""
        arn = (
            f"arn:{Aws.PARTITION}:execute-api:{Aws.REGION}:{Aws.ACCOUNT_ID}:{self.rest.rest_api_id}"
        )
        resources = [f"{arn}/{STAGE}/{path}" for path in paths]
        return iam.PolicyStatement(actions=["execute-api:Invoke"], resources=resources)
