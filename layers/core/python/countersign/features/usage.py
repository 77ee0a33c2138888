"""Which features a score depends on, by view: what lineage is drawn from."""

from __future__ import annotations

from countersign.declare import UseCase
from countersign.features.definition import REQUEST, reads


def features_used(use_case: UseCase) -> dict[str, list[str]]:
    """By view, the features that a score depends on: as inputs, through rules or request-time ones."""
    used = reads(use_case)
    found = {
        view.name: [f.name for f in view.features if f.name in used] for view in use_case.views
    }
    found[REQUEST] = [f.name for f in use_case.request_features if f.name in used]
    return {view: names for view, names in found.items() if names}
