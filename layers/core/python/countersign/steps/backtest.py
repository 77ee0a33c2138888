"""Hold a candidate against the champion on the candidate's test rows, both as they would be served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from countersign import use_cases
from countersign.aws.artifacts import Verified
from countersign.aws.stores import Stores
from countersign.clock import parse_iso
from countersign.errors import ContractError, DataError
from countersign.learning.backtest import Contestant, compare, judge, last_days
from countersign.learning.contest import compare_with_rules
from countersign.learning.dataset import Dataset, Rows
from countersign.learning.scoring import score_with
from countersign.serving.session import FILES, ModelSession

RECENT_DAYS = 30


@dataclass(frozen=True, slots=True)
class Request:
    """Which version wants to become champion."""

    use_case: str
    version: str


@dataclass(frozen=True, slots=True)
class Result:
    """`checks` per metric with margin and interval; `recent` is the same over the last 30 days alone.

    `window` is what the rows span; `seen_by_champion` counts rows no later than the champion's own
    training and validation rows, which flatter it. Without a champion `rules` compares with the rules alone.
    """

    use_case: str
    version: str
    champion: str | None
    verdict: str
    window: dict[str, Any]
    checks: dict[str, Any]
    recent: dict[str, Any]
    rules: dict[str, Any]
    seen_by_champion: int
    reasons: list[str]


def run(request: Request, stores: Stores) -> Result:
    """Score the rows by both versions and compare them, metric by metric."""
    use_case = use_cases.get(request.use_case)
    digest = stores.registry.version(request.use_case, request.version).digest
    candidate = load(stores, request.use_case, request.version, digest)
    dataset_id = candidate.manifest["dataset_id"]
    rows = Dataset.open(stores.lake.get, dataset_id, key=use_case.label.join).split("test")
    session = ModelSession.load(candidate)
    scores = score_with(session, rows)
    rules = compare_with_rules(use_case.costs, session, rows, scores)
    champion = stores.registry.pointer(request.use_case)["champion"]
    facts: dict[str, Any] = {
        "use_case": request.use_case,
        "version": request.version,
        "window": rows.span(),
        "rules": rules,
    }
    if champion is None:
        reasons = ["There is no champion: compared with the rules alone"]
        return _result(facts, champion=None, verdict="no_champion", reasons=reasons)
    rival = load(stores, request.use_case, champion["version"], champion["digest"])
    facts["champion"] = champion["version"]
    facts["seen_by_champion"] = seen(rival, rows)
    try:
        other = contestant(ModelSession.load(rival), rows)
    except (ContractError, DataError) as error:
        reasons = [f"The champion cannot score the candidate's rows: {error.detail}"]
        return _result(facts, verdict="inconclusive", reasons=reasons)
    mine = Contestant(scores.final, session.threshold)
    checks = compare(rows.label, mine, other)
    facts |= {"checks": checks, "recent": recent(rows, mine, other)}
    return _result(facts, verdict=judge(checks), reasons=explain(checks))


def load(stores: Stores, use_case: str, version: str, digest: str) -> Verified:
    """A registered version's artifact, verified against its pinned digest."""
    return stores.artifacts.load(f"{use_case}/{version}", FILES, digest=digest)


def contestant(session: ModelSession, rows: Rows) -> Contestant:
    """What a version says of the rows."""
    return Contestant(score_with(session, rows).final, session.threshold)


def recent(rows: Rows, mine: Contestant, other: Contestant) -> dict[str, Any]:
    """The checks over the last 30 days of rows: informational, for they are few."""
    kept = last_days(rows.as_of, RECENT_DAYS)
    checks = compare(
        rows.label[kept],
        Contestant(mine.scores[kept], mine.threshold),
        Contestant(other.scores[kept], other.threshold),
    )
    return {"window": rows.take(kept).span(), "verdict": judge(checks), "checks": checks}


def seen(rival: Verified, rows: Rows) -> int:
    """How many rows lie no later than those that the champion was fitted or tuned on."""
    last = parse_iso(rival.manifest["split"]["valid"]["to"]).timestamp() * 1e6
    return int((rows.as_of <= last).sum())


def explain(checks: dict[str, Any]) -> list[str]:
    """Why the verdict is not a plain yes: what fails, and what the rows cannot tell."""
    reasons = []
    for name, check in checks.items():
        if check["proven"] is False:
            reasons.append(f"{name} is worse than its margin of {check['margin']:g} allows")
        elif not check["holds"]:
            reasons.append(f"{name} is lower than allowed here, within what chance could do")
        elif check["proven"] is None:
            reasons.append(f"{name} keeps its margin here; more rows are needed to prove it")
    return reasons


def _result(facts: dict[str, Any], **more: Any) -> Result:
    empty: dict[str, Any] = {"checks": {}, "recent": {}, "seen_by_champion": 0}
    return Result(**{**empty, **facts, **more})
