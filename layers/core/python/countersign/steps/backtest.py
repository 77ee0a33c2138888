"""Hold a candidate against the champion on the candidate's test rows, both as they would be served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from countersign import use_cases
from countersign.aws.artifacts import Verified
from countersign.aws.stores import Stores
from countersign.clock import parse_iso
from countersign.declare import UseCase
from countersign.errors import ContractError, DataError
from countersign.learning.backtest import Contestant, Verdict, compare, judge, last_days
from countersign.learning.class_backtest import (
    ClassContestant,
    compare_classes,
    contestant_of,
    judge_classes,
)
from countersign.learning.class_evaluation import against_rules, probabilities
from countersign.learning.contest import compare_with_rules
from countersign.learning.dataset import Dataset, Rows
from countersign.learning.scoring import score_with
from countersign.serving.session import FILES, ModelSession

RECENT_DAYS = 30
ALL = slice(None)


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
    dataset = Dataset.of(stores.lake.get, candidate.manifest["dataset_id"], use_case)
    rows = dataset.split("test")
    session = ModelSession.load(candidate)
    of_classes = bool(use_case.label.classes)
    contest: Contest = OfClasses(use_case, rows) if of_classes else OfScores(use_case, rows)
    mine = contest.contestant(session)
    champion = stores.registry.pointer(request.use_case)["champion"]
    facts: dict[str, Any] = {
        "use_case": request.use_case,
        "version": request.version,
        "window": rows.span(),
        "rules": contest.against_rules(session),
    }
    if champion is None:
        reasons = ["There is no champion: compared with the rules alone"]
        return _result(facts, champion=None, verdict="no_champion", reasons=reasons)
    rival = load(stores, request.use_case, champion["version"], champion["digest"])
    facts["champion"] = champion["version"]
    facts["seen_by_champion"] = seen(rival, rows)
    try:
        other = contest.contestant(ModelSession.load(rival))
    except (ContractError, DataError) as error:
        reasons = [f"The champion cannot score the candidate's rows: {error.detail}"]
        return _result(facts, verdict="inconclusive", reasons=reasons)
    checks, verdict = contest.compare(mine, other, ALL)
    kept = last_days(rows.as_of, RECENT_DAYS)
    lately, said = contest.compare(mine, other, kept)
    window = rows.take(kept).span()
    facts |= {"checks": checks, "recent": {"window": window, "verdict": said, "checks": lately}}
    return _result(facts, verdict=verdict, reasons=explain(checks))


def load(stores: Stores, use_case: str, version: str, digest: str) -> Verified:
    """A registered version's artifact, verified against its pinned digest."""
    return stores.artifacts.load(f"{use_case}/{version}", FILES, digest=digest)


class Contest(Protocol):
    """How two versions are held against each other on the same rows."""

    def contestant(self, session: ModelSession) -> Any: ...

    def against_rules(self, session: ModelSession) -> dict[str, Any]: ...

    def compare(self, mine: Any, other: Any, kept: Any) -> tuple[dict[str, Any], Verdict]: ...


class OfScores:
    """Versions of one score: by final score and threshold."""

    def __init__(self, use_case: UseCase, rows: Rows) -> None:
        self._use_case, self._rows = use_case, rows

    def contestant(self, session: ModelSession) -> Contestant:
        """What a version says of the rows. Raises ContractError for a model of classes."""
        if session.classes:
            raise ContractError("A model of classes cannot be held against a label of yes and no")
        return Contestant(score_with(session, self._rows).final, session.threshold)

    def against_rules(self, session: ModelSession) -> dict[str, Any]:
        """The version beside its rules alone."""
        scores = score_with(session, self._rows)
        return compare_with_rules(self._use_case.costs, session, self._rows, scores)

    def compare(
        self, mine: Contestant, other: Contestant, kept: Any
    ) -> tuple[dict[str, Any], Verdict]:
        """The checks over the rows that are `kept`, and their verdict."""
        checks = compare(
            self._rows.label[kept],
            Contestant(mine.scores[kept], mine.threshold),
            Contestant(other.scores[kept], other.threshold),
        )
        return checks, judge(checks)


class OfClasses:
    """Versions of classes: by what they recommend and how likely they held what came."""

    def __init__(self, use_case: UseCase, rows: Rows) -> None:
        self._use_case, self._rows = use_case, rows

    def contestant(self, session: ModelSession) -> ClassContestant:
        """What a version says of the rows."""
        return contestant_of(session, self._rows, self._use_case.label.classes)

    def against_rules(self, session: ModelSession) -> dict[str, Any]:
        """The version beside the declared rules alone."""
        return against_rules(self._use_case, self._rows, probabilities(session, self._rows))

    def compare(
        self, mine: ClassContestant, other: ClassContestant, kept: Any
    ) -> tuple[dict[str, Any], Verdict]:
        """The checks over the rows that are `kept`, and their verdict."""
        checks = compare_classes(
            ClassContestant(mine.right[kept], mine.surprise[kept]),
            ClassContestant(other.right[kept], other.surprise[kept]),
        )
        return checks, judge_classes(checks)


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
