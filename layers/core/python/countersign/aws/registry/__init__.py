"""The registry: versions, pointers, deployments, approvals and triggers, in one table.

`Registry` is the one name to import. Its parts, each a file: `table` (items and transactions),
`versions`, `pointers`, `triggers`, `approvals` and `rollouts`.
"""

from __future__ import annotations

from countersign.aws.registry.pointers import pointer_of
from countersign.aws.registry.rollouts import Rollouts
from countersign.aws.registry.table import from_attributes, to_attributes

__all__ = ["Registry", "from_attributes", "pointer_of", "to_attributes"]


class Registry(Rollouts):
    """Everything the registry can do."""
