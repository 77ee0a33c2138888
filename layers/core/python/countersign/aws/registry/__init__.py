"""The registry: versions, pointers, deployments, approvals and triggers, in one table.

`Registry` is the one name to import. Its parts, each a file: `table` (items and transactions), `records`
(a version's record held whole), `versions`, `pointers`, `triggers`, `approvals`, `rollouts` and `retiring`.
"""

from __future__ import annotations

from countersign.aws.registry.pointers import pointer_of
from countersign.aws.registry.retiring import Retiring

__all__ = ["Registry", "pointer_of"]


class Registry(Retiring):
    """Everything the registry can do."""
