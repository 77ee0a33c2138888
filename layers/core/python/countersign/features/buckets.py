"""Entity buckets: a stable hash of the entity's id, the same in SQL and in Python."""

from __future__ import annotations

import hashlib


def bucket_of(entity_id: str, buckets: int) -> int:
    """The bucket of an entity, 0 to `buckets` - 1."""
    digest = hashlib.md5(entity_id.encode(), usedforsecurity=False).hexdigest()
    return int(digest[:8], 16) % buckets


def bucket_sql(entity_id: str, buckets: int) -> str:
    """`bucket_of` as SQL over the column or expression `entity_id`."""
    return f"(('0x' || md5({entity_id})[1:8])::UBIGINT % {buckets})"
