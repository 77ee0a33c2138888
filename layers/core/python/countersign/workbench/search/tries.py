"""The search: each choice of hyperparameters is fitted on every fold, and the best mean figure wins."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from countersign.declare import UseCase
from countersign.errors import CountersignError, DataError, RequestError
from countersign.learning import trainers
from countersign.learning.dataset import Rows
from countersign.learning.fills import fill_constants
from countersign.learning.native import Floats
from countersign.learning.trainers.lesson import Examples, Lesson
from countersign.serving.preprocess import matrix
from countersign.workbench.config import Plain, Search
from countersign.workbench.search.folds import Fold, folds_of
from countersign.workbench.search.scoring import judge, known_scorings
from countersign.workbench.search.space import grid_of

Choice = dict[str, Plain]
# (tried, to try, the best figure so far or None)
Told = Callable[[int, int, float | None], None]
OPTUNA = "pip install 'countersign[search]'"


@dataclass(frozen=True, slots=True)
class Found:
    """The best choice, and all that `search.json` keeps: folds, space, every try and its figures."""

    best: Choice
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Part:
    """A fold's rows as the trainer takes them. Fills are made of the fold's own learning rows."""

    lesson: Lesson
    stop: Rows
    judged: Rows
    judged_inputs: Any


def seek(use_case: UseCase, train: Rows, plan: Search, told: Told | None = None) -> Found:
    """Seek hyperparameters of the declared trainer on the training rows alone, by the plan's seed.

    Raises
    ------
    RequestError        Optuna is asked for and not installed
    TooFewRowsError     the rows cannot be folded
    DataError           not one choice could be fitted; the first reason
    """
    seed = use_case.model.seed if plan.seed is None else plan.seed
    by_time = use_case.split.order == "time"
    folds = folds_of(train, plan.folds, seed=seed, by_time=by_time)
    parts = [_part(use_case, train, fold) for fold in folds]
    better = known_scorings(use_case.label.classes)[plan.scoring]
    proposer = _Proposer(plan, seed, larger_is_better=better)
    tries: list[dict[str, Any]] = []
    best: float | None = None
    for choice in proposer:
        made = _try(use_case, parts, plan.scoring, choice)
        tries.append({"n": len(tries) + 1, **made})
        proposer.tell(made["mean"])
        best = _best(tries, better)
        if told:
            told(len(tries), proposer.total, best)
    if best is None:
        raise DataError(f"No choice of the search could be fitted: {tries[0]['failed']}")
    winner = next(made for made in tries if made["mean"] == best)
    return Found(
        winner["hyperparameters"],
        {
            "schema": 1,
            "method": plan.method,
            "scoring": plan.scoring,
            "larger_is_better": better,
            "seed": seed,
            "split": "time, expanding window" if by_time else "stratified",
            "space": {space.name: space.told() for space in plan.space},
            "folds_asked": plan.folds,
            "folds": [fold.told(train) for fold in folds],
            "tries": tries,
            "best": {"n": winner["n"], "mean": best, "hyperparameters": winner["hyperparameters"]},
        },
    )


def _best(tries: list[dict[str, Any]], larger_is_better: bool) -> float | None:
    means = [made["mean"] for made in tries if made["mean"] is not None]
    if not means:
        return None
    return float(max(means) if larger_is_better else min(means))


def _part(use_case: UseCase, train: Rows, fold: Fold) -> _Part:
    rows = {name: train.take(getattr(fold, name)) for name in ("learn", "stop", "judge")}
    spec = use_case.model
    takes = trainers.get(spec.trainer).TAKES_NULLS
    learn = rows["learn"]
    filled = {n: v for n, v in learn.columns.items() if n in use_case.inputs}
    for name, values in filled.items():
        if np.isnan(values).all():
            raise DataError(
                f"{name} is null in every row of a fold; use fewer folds, or leave it out"
            )
    fills = fill_constants(use_case, learn, takes_nulls=takes)
    inputs = {name: matrix(use_case.inputs, fills, part.columns) for name, part in rows.items()}
    lesson = Lesson(
        train=Examples(rows=inputs["learn"], target=learn.target),
        valid=Examples(rows=inputs["stop"], target=rows["stop"].target),
        classes=use_case.label.classes,
        members=spec.members,
        seed=spec.seed,
    )
    return _Part(lesson, rows["stop"], rows["judge"], inputs["judge"])


def _try(use_case: UseCase, parts: list[_Part], scoring: str, choice: Choice) -> dict[str, Any]:
    """One choice on every fold. What the library refuses is a try that failed, not the end."""
    started = time.perf_counter()
    settings: Mapping[str, Plain] = {**use_case.model.hyperparameters, **choice}
    figures: list[float] = []
    failed = ""
    try:
        figures = [_figure(use_case, part, scoring, settings) for part in parts]
    except CountersignError as error:
        failed = error.detail
    except (
        ValueError,
        TypeError,
        ArithmeticError,
    ) as error:  # xgboost's and scikit-learn's refusals
        failed = str(error).strip().splitlines()[0][:200]
    known = [figure for figure in figures if math.isfinite(figure)]
    return {
        "hyperparameters": choice,
        "mean": float(np.mean(known)) if known else None,
        "std": float(np.std(known)) if known else None,
        "folds": [figure if math.isfinite(figure) else None for figure in figures],
        "seconds": round(time.perf_counter() - started, 3),
        "failed": failed or ("" if known else f"{scoring} is undefined in every fold"),
    }


def _figure(use_case: UseCase, part: _Part, scoring: str, settings: Mapping[str, Plain]) -> float:
    trainer = trainers.get(use_case.model.trainer)
    fitted = trainer.fit(replace(part.lesson, hyperparameters=settings))
    stop: Floats = fitted.score(part.lesson.valid.rows)
    judged: Floats = fitted.score(part.judged_inputs)
    return judge(use_case, scoring, stop=(part.stop, stop), judged=(part.judged, judged))


class _Proposer:
    """The choices in turn; Optuna's next one depends on what it was told of those before."""

    def __init__(self, plan: Search, seed: int, *, larger_is_better: bool) -> None:
        self._plan = plan
        self._seed = seed
        self._study: Any = _study(seed, larger_is_better) if plan.method == "bayesian" else None
        self._trial: Any = None
        self._grid = grid_of(plan.space) if plan.method == "grid" else []
        self.total = len(self._grid) if plan.method == "grid" else plan.iterations

    def __iter__(self) -> Iterator[Choice]:
        if self._plan.method == "grid":
            yield from self._grid
        elif self._plan.method == "random":
            yield from self._drawn()
        else:
            for _ in range(self.total):
                self._trial = self._study.ask()
                yield {space.name: space.suggest(self._trial) for space in self._plan.space}

    def _drawn(self) -> Iterator[Choice]:
        """No choice twice; a space with fewer than were asked for ends early."""
        random = np.random.default_rng(self._seed)
        seen: set[tuple[Plain, ...]] = set()
        for _ in range(50 * self.total):
            choice = {space.name: space.draw(random) for space in self._plan.space}
            if tuple(choice.values()) not in seen:
                seen.add(tuple(choice.values()))
                yield choice
            if len(seen) == self.total:
                return

    def tell(self, mean: float | None) -> None:
        """The figure of the last choice; None when it failed."""
        if self._trial is None:
            return
        if mean is None:
            with suppress(ValueError):
                self._study.tell(self._trial, state=_failed())
        else:
            self._study.tell(self._trial, mean)


def _study(seed: int, larger_is_better: bool) -> Any:
    try:
        import optuna
    except ImportError as error:
        raise RequestError(
            f"search.method bayesian needs Optuna, which is not installed: {OPTUNA}; or take random"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(
        direction="maximize" if larger_is_better else "minimize",
        sampler=optuna.samplers.TPESampler(seed=seed),
    )


def _failed() -> Any:
    import optuna

    return optuna.trial.TrialState.FAIL
