"""The registry: versions, pointers, deployments, approvals and triggers, in one table.

`Registry` is the one name to import. Its parts, each a file: `table` (items and transactions),
`versions`, `pointers`, `triggers`, `approvals` and `rollouts`.
"""

from __future__ import annotations

from countersign.aws.registry.pointers import pointer_of
from countersign.aws.registry.rollouts import Rollouts

__all__ = ["Registry", "pointer_of"]


class Registry(Rollouts):
    """Everything the registry can do."""
