"""The small vocabulary in which a function says what it may touch, and the IAM it becomes.

There is no word for a wildcard action, for deleting anything but a model's bytes, or for changing an audit item.
A permission also names the environment variables through which the code finds the resource, so a
function is never told of a resource it may not use.
"""

from infra.permissions.base import Permission, Wiring, allow, data_key_statement
from infra.permissions.services import (
    Consume,
    Invoke,
    Publish,
    PutMetrics,
    ResumeTask,
    Send,
    Sign,
    StartMachine,
    Verify,
)
from infra.permissions.storage import (
    INDEXES,
    Append,
    Prefix,
    Read,
    Remove,
    Stream,
    Write,
    WriteKeys,
)

__all__ = [
    "INDEXES",
    "Append",
    "Consume",
    "Invoke",
    "Permission",
    "Prefix",
    "Publish",
    "PutMetrics",
    "Read",
    "Remove",
    "ResumeTask",
    "Send",
    "Sign",
    "StartMachine",
    "Stream",
    "Verify",
    "Wiring",
    "Write",
    "WriteKeys",
    "allow",
    "data_key_statement",
]
