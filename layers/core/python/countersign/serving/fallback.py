"""From a route and a vector to a verdict: the first version that answers well, else the rules alone.

A model of one score gives a hybrid score and a decision at its threshold; a model of classes gives
probabilities, and its decision is the recommended strategy.

A version fails when it cannot be loaded or verified, raises, misses the deadline, or gives a score
that is not one. Each failure is named in `degraded`; none is silent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from countersign.declare import Rule, Strategy, UseCase
from countersign.errors import ArtifactError, DataError, NotFoundError, TransientError
from countersign.serving.deadline import DeadlineExceededError, Runner
from countersign.serving.hybrid import combine, decide, in_range
from countersign.serving.prediction import RULES_ONLY
from countersign.serving.routing import Route, VersionRef
from countersign.serving.rules import rules_version, score_rules
from countersign.serving.strategies import decide as recommend
from countersign.serving.strategies import decided_by, strategies_version

if TYPE_CHECKING:
    from countersign.serving.session import ModelSession, Said

Features = Mapping[str, float | None]
# Half of the points that rules can give: without a model there is no cost-optimal threshold.
RULES_ONLY_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The rules that stand in when no model may answer, of a signed version or of the declaration.

    `strategies` are what they choose among, the first where no rule decides. `of_classes`: the decision
    is the strategy itself, and no threshold has a say.
    """

    rules: tuple[Rule, ...]
    version: str
    threshold: float = RULES_ONLY_THRESHOLD
    strategies: tuple[Strategy, ...] = ()
    of_classes: bool = False

    def named(self) -> str:
        """What the log calls it: the version of the rules, and of the strategies where there are any."""
        return ".".join(filter(None, (self.version, strategies_version(self.strategies))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A score and how it came about. `model_score` is None when no model answered.

    Of a model of classes `score` and `model_score` are the probability of the likeliest class, there is
    no threshold, `decision` names the strategy, and `fired` are the rules that decided for it.
    """

    version: str
    digest: str
    score: float
    model_score: float | None
    rule_score: float
    threshold: float | None
    decision: str
    fired: tuple[Rule, ...]
    rules_version: str
    degraded: tuple[str, ...] = ()
    strategy: Strategy | None = None
    probabilities: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """How a worker comes by verified models: `session` and `rules` load when they must.

    Both raise when the version cannot be trusted or had. `rest` keeps a session whose call is late
    out of use until that call has finished.
    """

    session: Callable[[VersionRef], ModelSession]
    rules: Callable[[VersionRef], RuleBook]
    rest: Callable[[VersionRef, Callable[[], bool]], None]
    runner: Runner


def judge(use_case: UseCase, route: Route, features: Features, models: Models) -> Verdict:
    """The verdict of the first candidate that answers well, else of the rules.

    Raises
    ------
    TransientError   nobody could answer, and the use case allows no answer by rules alone
    """
    degraded = list(route.degraded)
    for ref in route.candidates:
        try:
            session = models.session(ref)
        except Exception as error:  # whatever is wrong with it, the next one is asked
            degraded.append(f"{load_failure(error)}:{ref.version}")
            continue
        try:
            said = call_model(session, ref, features, models, use_case.deadline_ms)
        except Exception as error:  # whatever a model does, the next one is asked
            degraded.append(f"{call_failure(error)}:{ref.version}")
            continue
        return with_model(session, ref, features, said, tuple(degraded))
    if not use_case.rules_only_fallback:
        raise TransientError(
            f"No version of {use_case.name} could answer, and it is not answered by rules alone: "
            + ", ".join(degraded)
        )
    book, source = _rule_book(use_case, route, models)
    return by_rules(book, features, (*degraded, *source, RULES_ONLY))


def call_model(
    session: ModelSession, ref: VersionRef, features: Features, models: Models, deadline_ms: float
) -> Said:
    """What one model says within its deadline. Raises whatever it does wrong."""
    row = session.vector(features)
    try:
        said: Said = models.runner.call(lambda: session.say(row), seconds=deadline_ms / 1000)
    except DeadlineExceededError as late:
        models.rest(ref, late.finished)
        raise
    if not in_range(said.score):
        raise ArtifactError("The model's output is not a score")
    return said


def with_model(
    session: ModelSession,
    ref: VersionRef,
    features: Features,
    said: Said,
    degraded: tuple[str, ...] = (),
) -> Verdict:
    """The verdict of one version: its own rules, weights, threshold and strategies."""
    points, fired = score_rules(session.rules, features)
    threshold, strategy = None, None
    if said.probabilities is not None:
        score = said.score  # the weights are of scores: rules decide for a strategy, or not at all
        strategy = recommend(
            session.strategies, fired=[r.code for r in fired], probabilities=said.probabilities
        )
        decision, fired = strategy.name, decided_by(strategy, fired)
    else:
        score = combine(session.hybrid, model_score=said.score, rule_score=points)
        threshold = session.threshold
        decision = decide(score, threshold)
        if session.strategies:
            strategy = recommend(session.strategies, fired=[r.code for r in fired], score=score)
    return Verdict(
        version=ref.version,
        digest=ref.digest,
        score=score,
        model_score=said.score,
        rule_score=points,
        threshold=threshold,
        decision=decision,
        fired=fired,
        rules_version=str(session.serving["rules_version"]),
        degraded=degraded,
        strategy=strategy,
        probabilities=said.probabilities,
    )


def by_rules(book: RuleBook, features: Features, degraded: tuple[str, ...]) -> Verdict:
    """The verdict of the rules alone: their points, and the strategy they decide for or the first."""
    points, fired = score_rules(book.rules, features)
    threshold: float | None = book.threshold
    decision, strategy = decide(points, book.threshold), None
    if book.strategies:
        strategy = recommend(book.strategies, fired=[r.code for r in fired])
        if book.of_classes:
            threshold, decision = None, strategy.name
            fired = decided_by(strategy, fired)
    return Verdict(
        version=RULES_ONLY,
        digest="",
        score=points,
        model_score=None,
        rule_score=points,
        threshold=threshold,
        decision=decision,
        fired=fired,
        rules_version=book.named(),
        degraded=degraded,
        strategy=strategy,
    )


def declared_rules(use_case: UseCase) -> RuleBook:
    """The rules of the declaration: for a use case that has no version to take them from."""
    return RuleBook(
        use_case.rules,
        rules_version(use_case.rules),
        strategies=use_case.strategies,
        of_classes=bool(use_case.label.classes),
    )


def _rule_book(use_case: UseCase, route: Route, models: Models) -> tuple[RuleBook, tuple[str, ...]]:
    if route.rules_from is None:
        return declared_rules(use_case), ()
    try:
        return models.rules(route.rules_from), ()
    except Exception:  # the rules of the declaration are still better than no answer
        return declared_rules(use_case), ("declared-rules",)


def load_failure(error: Exception) -> str:
    """The word in `degraded` for a version that could not be had."""
    match error:
        case DeadlineExceededError():
            return "model-timeout"
        case NotFoundError():
            return "artifact-missing"
        case ArtifactError():
            return "artifact-refused"
    return "artifact-unavailable"


def call_failure(error: Exception) -> str:
    """The word in `degraded` for a model that did not give a score."""
    match error:
        case DeadlineExceededError():
            return "model-timeout"
        case ArtifactError():
            return "model-output-invalid"
        case DataError():
            return "vector-refused"
    return "model-failed"
