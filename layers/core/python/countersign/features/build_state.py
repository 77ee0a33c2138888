"""What the last complete build of a bucket says of itself, so that the next does only what news demands.

It is a claim: "history holds every row known by `as_of` of the facts in `files`, and they lie in `parts`."
A claim that was true once stays true, whoever writes after it, so builds may overtake each other; and no
claim, or one that does not fit, costs time and never a row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from countersign.clock import iso, parse_iso
from countersign.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildState:
    """`files`: accepted files by source. `parts`: the newest `known_at` (ISO-8601 UTC) by key of a part;
    empty for a part without rows of this definition.
    """

    definition: str
    as_of: datetime
    files: Mapping[str, tuple[str, ...]]
    parts: Mapping[str, str]

    def holds(
        self,
        *,
        definition: str,
        as_of: datetime,
        files: Mapping[str, Iterable[str]],
        parts: Iterable[str],
    ) -> bool:
        """Whether a build at `as_of`, with these files and parts in the lake, may go on from here."""
        return (
            self.definition == definition
            and self.as_of <= as_of
            and set(self.parts) <= set(parts)
            and all(set(held) <= set(files.get(name, ())) for name, held in self.files.items())
        )

    def news(self, files: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
        """By source, the files that the last build had not read."""
        return {
            name: sorted(set(keys) - set(self.files.get(name, ()))) for name, keys in files.items()
        }

    def parts_from(self, moment: datetime, parts: Iterable[str]) -> list[str]:
        """Those of `parts` that may hold rows known at `moment` or later."""
        since = iso(moment)
        return [key for key in parts if key not in self.parts or self.parts[key] >= since]


def dump(state: BuildState) -> dict[str, Any]:
    """As a JSON document that names its own content."""
    said = {
        "definition": state.definition,
        "as_of": iso(state.as_of),
        "files": {name: sorted(keys) for name, keys in state.files.items()},
        "parts": dict(state.parts),
    }
    return {**said, "sha256": _sha256(said)}


def parse(document: Any) -> BuildState | None:
    """The state that `dump` wrote; None for anything else."""
    try:
        said = {name: value for name, value in document.items() if name != "sha256"}
        if _sha256(said) != document["sha256"]:
            return None
        return BuildState(
            definition=said["definition"],
            as_of=parse_iso(said["as_of"]),
            files={name: tuple(keys) for name, keys in said["files"].items()},
            parts=said["parts"],
        )
    except (AttributeError, KeyError, TypeError, DataError):
        return None


def _sha256(said: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
