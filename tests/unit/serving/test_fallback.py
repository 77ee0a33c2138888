"""A version that fails is named and the next one asked; the rules come last, and never silently."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

import pytest
from countersign.errors import (
    DigestMismatchError,
    NotFoundError,
    StoreUnavailableError,
    TransientError,
)
from countersign.serving.deadline import DeadlineExceededError, Runner
from countersign.serving.fallback import Models, RuleBook, declared_rules, judge
from countersign.serving.routing import Route, VersionRef
from countersign.serving.rules import rules_to_json
from countersign.serving.session import ModelSession

from tests.unit.serving.models import GOOD, NAN, TOO_HIGH, served_files
from tests.unit.serving.small import HIGH, SMALL

ONE, TWO = VersionRef("1.1.0", "one"), VersionRef("1.0.0", "two")
ROUTE = Route(3, (ONE, TWO), ONE)


@dataclass
class Shelf:
    """Versions by their reference: a session, or the error that loading it raises."""

    held: dict[VersionRef, ModelSession | Exception]
    resting: list[VersionRef] = field(default_factory=list)

    def session(self, ref: VersionRef) -> ModelSession:
        found = self.held[ref]
        if isinstance(found, Exception):
            raise found
        return found

    def rules(self, ref: VersionRef) -> RuleBook:
        return RuleBook(self.session(ref).rules, "signed", 0.4)

    def models(self) -> Models:
        return Models(
            session=self.session,
            rules=self.rules,
            rest=lambda ref, _: self.resting.append(ref),
            runner=Runner(),
        )


@dataclass
class Bytes:
    files: dict[str, bytes]
    digest: str = "digest"


def model(*, low: float = 0.25, high: float = 0.75) -> ModelSession:
    files = served_files(["gross_mean"], rules=rules_to_json([HIGH]), low=low, high=high)
    return ModelSession.load(Bytes(files))


class Endless:
    """A runtime whose native call never comes back."""

    def run(self, *_: object) -> None:
        Event().wait()


def hanging() -> ModelSession:
    """A model that was loaded well, and whose runtime hangs from now on."""
    session = model()
    session._session = Endless()
    return session


def test_the_first_candidate_answers_with_its_own_weights_and_threshold() -> None:
    shelf = Shelf({ONE: model(), TWO: model()})
    verdict = judge(SMALL, ROUTE, {"gross_mean": 8.5}, shelf.models())
    assert (verdict.version, verdict.digest) == ("1.1.0", "one")
    assert verdict.model_score == 0.75
    assert verdict.rule_score == 0.6
    assert verdict.score == pytest.approx(0.8 * 0.75 + 0.2 * 0.6)
    assert (verdict.decision, verdict.degraded) == ("review", ())
    assert [rule.code for rule in verdict.fired] == ["HIGH"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (NAN, "model-output-invalid:1.1.0"),
        (TOO_HIGH, "model-output-invalid:1.1.0"),
        (1e300, "vector-refused:1.1.0"),
    ],
)
def test_a_model_without_a_score_is_followed_by_the_previous_version(
    value: float, reason: str
) -> None:
    previous = model()
    previous.fills = {"other": 0.0}
    previous.features = ("other",)
    shelf = Shelf({ONE: model(), TWO: previous})
    verdict = judge(SMALL, ROUTE, {"gross_mean": value, "other": GOOD}, shelf.models())
    assert (verdict.version, verdict.model_score) == ("1.0.0", 0.25)
    assert verdict.degraded == (reason,)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DigestMismatchError("bytes"), "artifact-refused:1.1.0"),
        (NotFoundError("gone"), "artifact-missing:1.1.0"),
        (StoreUnavailableError("slow"), "artifact-unavailable:1.1.0"),
        (RuntimeError("bug"), "artifact-unavailable:1.1.0"),
    ],
)
def test_a_version_that_cannot_be_had_is_followed_by_the_previous_one(
    error: Exception, reason: str
) -> None:
    shelf = Shelf({ONE: error, TWO: model()})
    verdict = judge(SMALL, ROUTE, {"gross_mean": GOOD}, shelf.models())
    assert (verdict.version, verdict.degraded) == ("1.0.0", (reason,))


def test_a_vector_that_lacks_a_feature_of_the_model_is_not_scored_by_it() -> None:
    shelf = Shelf({ONE: model(), TWO: model()})
    verdict = judge(SMALL, ROUTE, {"another": 1.0}, shelf.models())
    assert verdict.version == "rules-only"
    assert verdict.degraded[:2] == ("vector-refused:1.1.0", "vector-refused:1.0.0")


def test_when_all_models_fail_the_signed_rules_answer_alone() -> None:
    shelf = Shelf({ONE: model(), TWO: model()})
    verdict = judge(SMALL, ROUTE, {"gross_mean": NAN}, shelf.models())
    assert (verdict.version, verdict.model_score) == ("rules-only", None)
    assert verdict.score == verdict.rule_score == 0.6
    assert (verdict.decision, verdict.threshold) == ("review", 0.4)
    assert verdict.rules_version == "signed"
    assert verdict.degraded[-1] == "rules-only"


def test_without_any_version_the_declared_rules_answer_alone() -> None:
    shelf = Shelf({})
    taken = Route(0, (), None, ("no-champion",))
    verdict = judge(SMALL, taken, {"gross_mean": 8.5}, shelf.models())
    assert verdict.rules_version == declared_rules(SMALL).version
    assert verdict.degraded == ("no-champion", "rules-only")


def test_rules_that_cannot_be_verified_are_replaced_by_the_declared_ones_and_say_so() -> None:
    shelf = Shelf({ONE: DigestMismatchError("bytes"), TWO: DigestMismatchError("bytes")})
    verdict = judge(SMALL, ROUTE, {"gross_mean": 8.5}, shelf.models())
    assert verdict.degraded[-2:] == ("declared-rules", "rules-only")


def test_a_use_case_that_forbids_rules_only_is_not_answered() -> None:
    strict = replace(SMALL, rules_only_fallback=False)
    shelf = Shelf({ONE: model(), TWO: model()})
    with pytest.raises(TransientError) as raised:
        judge(strict, ROUTE, {"gross_mean": NAN}, shelf.models())
    assert raised.value.status == 503


def test_a_call_that_never_comes_back_costs_its_deadline_and_no_more() -> None:
    never, runner = Event(), Runner()
    with pytest.raises(DeadlineExceededError) as raised:
        runner.call(never.wait, seconds=0.01)
    assert runner.call(lambda: "next", seconds=5) == "next"
    assert not raised.value.finished()
    never.set()
    assert soon(raised.value.finished)


def soon(holds: Callable[[], bool]) -> bool:
    """Whether something comes true within ten seconds."""
    ends = time.monotonic() + 10
    while not holds() and time.monotonic() < ends:
        Event().wait(0.001)
    return holds()


def test_what_a_call_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        Runner().call(lambda: 1 / 0, seconds=5)


def test_a_tree_with_a_cycle_in_it_does_not_hang_the_answer() -> None:
    """In a process of its own: the native loop never ends and takes a processor with it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.serving.hanging"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout) == {
        "version": "1.0.0",
        "degraded": ["model-timeout:1.1.0"],
        "resting": ["1.1.0"],
    }
