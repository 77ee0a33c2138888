"""State machines: start an execution once, resume a waiting task."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError


class Machines:
    """Executions by machine name. Starting the same name twice starts it once."""

    def __init__(self, stepfunctions: Any, arn_prefix: str) -> None:
        self._client = stepfunctions
        self._prefix = arn_prefix

    def arn(self, machine: str) -> str:
        """The ARN of `machine`, e.g. "approval"."""
        return f"{self._prefix}{machine}"

    def start(self, machine: str, name: str, payload: dict[str, Any]) -> str:
        """Start `machine` under the execution name `name`; returns the execution's ARN."""
        arn = self.arn(machine)
        try:
            answer = self._client.start_execution(
                stateMachineArn=arn, name=name, input=json.dumps(payload)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise
            return f"{arn.replace(':stateMachine:', ':execution:')}:{name}"
        execution: str = answer["executionArn"]
        return execution

    def resume(self, token: str, output: dict[str, Any]) -> bool:
        """Resume the task that waits with `token`; False when it no longer waits."""
        try:
            self._client.send_task_success(taskToken=token, output=json.dumps(output))
        except ClientError as error:
            if error.response["Error"]["Code"] in {
                "TaskTimedOut",
                "TaskDoesNotExist",
                "InvalidToken",
            }:
                return False
            raise
        return True
