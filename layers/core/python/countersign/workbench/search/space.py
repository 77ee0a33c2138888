"""What a search may choose from: lists of values, or ranges of numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from countersign.learning import trainers
from countersign.workbench.document import Value

Plain = float | int | str | bool
MOST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The values of one hyperparameter: `values`, or numbers from `low` to `high` (`log`: by magnitude)."""

    name: str
    values: tuple[Plain, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False

    def draw(self, random: Any) -> Plain:
        """One value by a numpy generator."""
        if self.values:
            return self.values[int(random.integers(len(self.values)))]
        if self.log:
            drawn = math.exp(random.uniform(math.log(self.low), math.log(self.high)))
        elif self.whole:
            return int(random.integers(int(self.low), int(self.high) + 1))
        else:
            drawn = float(random.uniform(self.low, self.high))
        bounded = min(max(drawn, self.low), self.high)
        return round(bounded) if self.whole else bounded

    def suggest(self, trial: Any) -> Plain:
        """One value by an Optuna trial."""
        made: Plain
        if self.values:
            made = trial.suggest_categorical(self.name, list(self.values))
        elif self.whole:
            made = trial.suggest_int(self.name, int(self.low), int(self.high), log=self.log)
        else:
            made = trial.suggest_float(self.name, self.low, self.high, log=self.log)
        return made

    def told(self) -> Any:
        """As `search.json` keeps it."""
        if self.values:
            return list(self.values)
        return {"low": self.low, "high": self.high, "log": self.log}


def space_of(given: Value, trainer: str, *, grid: bool) -> tuple[Space, ...]:
    """The space that a configuration states for a trainer's hyperparameters.

    Raises
    ------
    RequestError    a hyperparameter that the trainer lacks, an empty list, a range in a grid
    """
    found = given.section(trainers.get(trainer).DEFAULTS)
    if not found:
        raise given.refuse("needs at least one hyperparameter")
    made = tuple(_one(name, value, grid=grid) for name, value in found.items())
    if grid and math.prod(len(space.values) for space in made) > MOST:
        raise given.refuse(f"has more than {MOST} combinations; seek at random, or fewer values")
    return made


def _one(name: str, given: Value, *, grid: bool) -> Space:
    if given.items is not None:
        values = tuple(item.plain() for item in given.items)
        if not values or len(set(values)) != len(values):
            raise given.refuse("must list different values")
        return Space(name=name, values=values)
    if given.entries is None:
        raise given.refuse("must be a list of values, or {low, high, log}")
    if grid:
        raise given.refuse("is a range; a grid needs lists of values")
    found = given.section(("low", "high", "log"))
    if "low" not in found or "high" not in found:
        raise given.refuse("needs low and high")
    low, high = found["low"].number(), found["high"].number()
    log = "log" in found and bool(found["log"].plain())
    if not low < high or (log and low <= 0):
        raise given.refuse("needs low below high" + (", and above 0 where log is true" * log))
    whole = isinstance(found["low"].value, int) and isinstance(found["high"].value, int)
    return Space(name=name, low=low, high=high, log=log, whole=whole)


def grid_of(space: Sequence[Space]) -> list[dict[str, Plain]]:
    """Every combination, the last hyperparameter fastest."""
    names = [each.name for each in space]
    every = itertools.product(*(each.values for each in space))
    return [dict(zip(names, values, strict=True)) for values in every]
