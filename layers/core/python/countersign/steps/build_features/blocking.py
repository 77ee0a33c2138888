"""A critical finding of the quality log blocks scoring: recorded, on the audit chain, and told at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from countersign.aws.blocks import Blocks
from countersign.aws.lake import Lake
from countersign.aws.raised import raise_once
from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.declare import UseCase
from countersign.governance.quality_block import Finding, is_raised

ACTOR = "quality-log"
RUNBOOK = "docs/runbooks/data-quality.md"
TO_DO = (
    "Open the quality report of the day, find the delivery that the feature comes from, and deliver it "
    "again. When the log is clean, an operator acknowledges the block; until then nothing is scored."
)


def block_scoring(stores: Stores, served: Iterable[UseCase], as_of: datetime) -> list[str]:
    """Hold the blocks of the `served` use cases against the quality logs of `as_of`; who is blocked now.

    A log of no fresh value at all proves nothing: it neither blocks nor clears.
    """
    blocks, blocked, logs = Blocks.of(stores), [], Logs(stores.lake, as_of)
    for use_case in served:
        judged = [view for view in use_case.views if logs.has_fresh_values(view.name)]
        critical = {(view.name, f.name) for view in judged for f in view.features if f.critical}
        found = [
            Finding(**finding)
            for view in judged
            for finding in logs.of(view.name)["findings"]
            if (finding["view"], finding["feature"]) in critical
        ]
        views = [view.name for view in judged]
        block = blocks.take_log(use_case.name, found, views=views, as_of=iso(as_of))
        if block is not None and is_raised(block):
            blocked.append(use_case.name)
            tell(stores, use_case.name, block)
    return blocked


class Logs:
    """The quality logs of one moment, each read once."""

    def __init__(self, lake: Lake, as_of: datetime) -> None:
        self._lake, self._day = lake, iso(as_of)[:10]
        self._held: dict[str, Any] = {}

    def of(self, view: str) -> Mapping[str, Any]:
        """What was written of `view`."""
        if view not in self._held:
            key = f"quality/{view}/date={self._day}/quality.json"
            self._held[view] = self._lake.read_json(key)
        log: Mapping[str, Any] = self._held[view]
        return log

    def has_fresh_values(self, view: str) -> bool:
        """Whether anything of `view` could be judged."""
        return any(row["rows"] for row in self.of(view)["features"])


def tell(stores: Stores, use_case: str, block: Mapping[str, Any]) -> None:
    """Audit and notice, once for each set of findings of a day, also when a worker died in between."""
    day, alerts = block["day"], block["alerts"]
    named = [f"{a['view']}.{a['feature']}: {a['check']}" for a in alerts]
    key = f"{day}#{block['raised_at']}#{_digest(named)}"
    facts = {"day": day, "raised_at": block["raised_at"], "findings": named}
    once = f"quality-block#{key}"
    stores.audit.append(use_case, "quality-block-raised", ACTOR, facts, once=once)
    raise_once(
        stores,
        use_case=use_case,
        kind="quality",
        key=key,
        actor=ACTOR,
        subject=f"Scoring of {use_case} is blocked: data quality, {day}",
        severity="critical",
        what=f"{use_case} is not scored: its features of {day} are questioned.",
        facts={"findings": [a["text"] for a in alerts], "report": f"reports/quality/{day}.html"},
        to_do=TO_DO,
        runbook=RUNBOOK,
    )


def _digest(named: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(named)).encode()).hexdigest()[:16]
