"""What a scoring worker keeps between requests: plans, the pointer, verified models, counts."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.declare import UseCase
from countersign.errors import CountersignError, StoreUnavailableError
from countersign.serving.deadline import DeadlineExceededError, Runner
from countersign.serving.fallback import RULES_ONLY_THRESHOLD, Models, RuleBook
from countersign.serving.routing import VersionRef
from countersign.serving.rules import rules_from_json
from countersign.serving.strategies import from_json as strategies_from_json
from countersign.serving.validate import Tree, compile_fields

if TYPE_CHECKING:
    from countersign.serving.session import ModelSession

POINTER_AGE = timedelta(seconds=1)
# A version that could not be loaded is not tried again by this worker for so long.
BENCHED = timedelta(seconds=10)
# Two versions may be tried before the function's own timeout.
LOAD_SECONDS = 8.0
MAX_SESSIONS = 8
_RECENT = 1000
_T = TypeVar("_T")


@dataclass(slots=True)
class Tally:
    """Counts of this worker for one use case, and its most recent latencies and scores."""

    outcomes: Counter[str] = field(default_factory=Counter)
    latency_ms: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))
    scores: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))


@dataclass(slots=True)
class Seat:
    """All that a worker keeps for one use case. `pointer` and `block` are as read at `pointer_read`."""

    use_case: UseCase
    fields: Tree
    pointer: Mapping[str, Any] | None = None
    block: Mapping[str, Any] | None = None
    pointer_read: datetime | None = None
    tally: Tally = field(default_factory=Tally)

    def pointer_due(self, now: datetime) -> bool:
        """Whether the pointer must be read with the next features. A clock set back counts as due."""
        return self.pointer_read is None or not (
            timedelta(0) <= now - self.pointer_read <= POINTER_AGE
        )

    def take_standing(
        self,
        pointer: Mapping[str, Any] | None,
        block: Mapping[str, Any] | None,
        now: datetime,
    ) -> None:
        """Keep the pointer and the block that were read."""
        self.pointer, self.block, self.pointer_read = pointer, block, now


class Worker:
    """One per `Stores`, which is one per Lambda worker."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._lock = RLock()
        self._seats: dict[str, Seat] = {}
        self._sessions: dict[tuple[str, VersionRef], ModelSession] = {}
        self._books: dict[tuple[str, VersionRef], RuleBook] = {}
        self._busy: dict[tuple[str, VersionRef], Callable[[], bool]] = {}
        self._benched: dict[tuple[str, VersionRef], tuple[datetime, CountersignError]] = {}
        self.runner = Runner()

    @classmethod
    def of(cls, stores: Stores) -> Worker:
        """The worker that lives as long as `stores`."""
        kept = stores.__dict__
        if "_scoring_worker" not in kept:
            kept.setdefault("_scoring_worker", cls(stores))
        worker: Worker = kept["_scoring_worker"]
        return worker

    def seat(self, name: str) -> Seat:
        """What is kept for the use case `name`. Raises NotFoundError."""
        found = self._seats.get(name)
        if found is None:
            use_case = use_cases.get(name)
            found = self._seats.setdefault(
                name, Seat(use_case, compile_fields(use_case.request_fields))
            )
        return found

    def models(self, use_case: str) -> Models:
        """The models of `use_case`, loaded as they are asked for."""
        return Models(
            session=lambda ref: self.session(use_case, ref),
            rules=lambda ref: self.rule_book(use_case, ref),
            rest=lambda ref, finished: self.rest(use_case, ref, finished),
            runner=self.runner,
        )

    def is_loaded(self, use_case: str, ref: VersionRef) -> bool:
        """Whether a version is loaded and verified now."""
        return (use_case, ref) in self._sessions

    def problem(self, use_case: str, ref: VersionRef) -> str:
        """Why a version is not tried now, by the name of the error; empty when it may be."""
        until, error = self._benched.get((use_case, ref), (None, None))
        standing = until is not None and self._stores.clock.now() < until
        return type(error).__name__ if standing else ""

    def session(self, use_case: str, ref: VersionRef) -> ModelSession:
        """The verified session of a pinned version, loaded when it is not.

        Raises ArtifactError (untrusted), NotFoundError (missing), DeadlineExceededError (still busy with
        a call that is late) or what the store raised.
        """
        key = (use_case, ref)
        found = self._sessions.get(key)
        if found is not None:
            self._refuse_busy(key)
            return found
        with self._lock:
            if key not in self._sessions:
                self._refuse_benched(key)
                self._sessions[key] = self._load(key)
                while len(self._sessions) > MAX_SESSIONS:
                    self._sessions.pop(next(iter(self._sessions)))
            return self._sessions[key]

    def _load(self, key: tuple[str, VersionRef]) -> ModelSession:
        from countersign.serving.session import FILES, ModelSession

        use_case, ref = key

        def load() -> ModelSession:
            folder = f"{use_case}/{ref.version}"
            return ModelSession.load(self._stores.artifacts.load(folder, FILES, digest=ref.digest))

        return self._within(LOAD_SECONDS, key, load)

    def _within(self, seconds: float, key: tuple[str, VersionRef], load: Callable[[], _T]) -> _T:
        """What `load` gives, in time; else the version is left alone for a while."""
        try:
            loaded: _T = self.runner.call(load, seconds=seconds)
        except CountersignError as error:
            self._bench(key, error)
            raise
        except DeadlineExceededError as error:
            late = StoreUnavailableError(f"{key[0]} {key[1].version} was not loaded in time")
            self._bench(key, late)
            raise late from error
        return loaded

    def rule_book(self, use_case: str, ref: VersionRef) -> RuleBook:
        """The signed rules of a version: of its session, or of its verified `serving.json` alone."""
        session = self._sessions.get((use_case, ref))
        if session is not None:
            return _rule_book(session.serving)
        key = (f"{use_case}/rules", ref)
        if key not in self._books:
            self._refuse_benched(key)
            self._books[key] = self._load_book(use_case, key)
        return self._books[key]

    def _load_book(self, use_case: str, key: tuple[str, VersionRef]) -> RuleBook:
        def load() -> RuleBook:
            folder = f"{use_case}/{key[1].version}"
            artifact = self._stores.artifacts.load(folder, ("serving.json",), digest=key[1].digest)
            return _rule_book(json.loads(artifact.files["serving.json"]))

        return self._within(LOAD_SECONDS, key, load)

    def rest(self, use_case: str, ref: VersionRef, finished: Callable[[], bool]) -> None:
        """Leave a session alone until its late call has `finished`: it still uses its buffers."""
        self._busy[use_case, ref] = finished

    def _refuse_busy(self, key: tuple[str, VersionRef]) -> None:
        finished = self._busy.get(key)
        if finished is not None and not finished():
            raise DeadlineExceededError(finished)
        self._busy.pop(key, None)

    def forget(self) -> None:
        """Read pointers and load models anew from now on."""
        with self._lock:
            self._sessions.clear()
            self._busy.clear()
            self._books.clear()
            self._benched.clear()
            for seat in self._seats.values():
                seat.pointer_read = None

    def _bench(self, key: tuple[str, VersionRef], error: CountersignError) -> None:
        self._benched[key] = (self._stores.clock.now() + BENCHED, error)

    def _refuse_benched(self, key: tuple[str, VersionRef]) -> None:
        until, error = self._benched.get(key, (None, None))
        if until is not None and error is not None and self._stores.clock.now() < until:
            raise type(error)(error.detail)


def _rule_book(serving: Mapping[str, Any]) -> RuleBook:
    decision = serving.get("decision") or {}
    return RuleBook(
        rules_from_json(serving["rules"]),
        str(serving["rules_version"]),
        float(decision.get("rules_only_threshold", RULES_ONLY_THRESHOLD)),
        strategies_from_json(serving.get("strategies", ())),
        bool(serving.get("classes")),
    )
