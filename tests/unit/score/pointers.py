"""What the registry holds of who serves."""

from __future__ import annotations

from typing import Any

from countersign.aws.attributes import marshal_item
from countersign.clock import iso

from tests.unit.predictions.cloud import NOW


def pointer_item(use_case: str, **facts: Any) -> dict[str, Any]:
    """The registry's item of a pointer, as plain as one can be but for `facts`."""
    plain = {
        "pk": f"model#{use_case}",
        "sk": "pointer",
        "epoch": 1,
        "champion": None,
        "previous": [],
        "rollout": None,
        "shadows": [],
        "kill_switch": False,
        "quarantined": [],
        "updated_at": iso(NOW),
    }
    return marshal_item({**plain, **facts})
