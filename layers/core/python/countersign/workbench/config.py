"""The configuration of a training: what it says otherwise than the use case's declaration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Literal

from countersign.clock import parse_iso
from countersign.declare import CostMatrix, Gate, ModelSpec
from countersign.errors import DataError, RequestError
from countersign.learning import trainers
from countersign.workbench.document import Value, parse
from countersign.workbench.search.space import Space, space_of

Plain = float | int | str | bool
Method = Literal["grid", "random", "bayesian"]
METHODS: tuple[Method, ...] = ("grid", "random", "bayesian")
KEYS = (
    "use_case", "model", "seed", "test_size", "split", "hyperparameters", "members", "search",
    "gates", "costs", "min_rows", "min_positives", "as_of", "data",
)  # fmt: skip
MODEL_KEYS = ("model", "seed", "hyperparameters")
LONGEST = 1_000_000  # bytes; a configuration is a page, not a book


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How hyperparameters are sought. `iterations`: how many are tried (of a grid: all)."""

    method: Method
    space: tuple[Space, ...]
    folds: int = 3
    iterations: int = 20
    scoring: str = ""
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    """What the columns of a flat file are. `features` empty: every column that is nothing else.

    `stated` holds the value behind each setting, so that a refusal can name its line.
    """

    label: str
    name: str = ""
    positive: str = ""
    features: tuple[str, ...] = ()
    key: str = ""
    time: str = ""
    time_zone: str = ""
    label_time: str = ""
    entity: str = ""
    groups: tuple[str, ...] = ()
    repeats: bool = False
    stated: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a configuration states; None and empty leave the declaration as it is. `text` is the file.

    Hyperparameters and search mean something only to a trainer: they wait in `stated`.
    """

    text: str = ""
    use_case: str = ""
    model: str = ""
    seed: int | None = None
    test_size: float | None = None
    split: str = ""
    members: tuple[ModelSpec, ...] = ()
    gates: tuple[Gate, ...] | None = None
    costs: CostMatrix | None = None
    min_rows: int | None = None
    min_positives: int | None = None
    as_of: datetime | None = None
    data: Flat | None = None
    stated: Mapping[str, Value] = field(default_factory=dict)

    def refuse(self, key: str, why: str) -> RequestError:
        """A refusal that names the line of `key` where the configuration has it."""
        return self.stated[key].refuse(why) if key in self.stated else RequestError(f"{key} {why}")


def read_config(path: Path) -> Config:
    """The configuration in a YAML file.

    Raises
    ------
    RequestError    not YAML, an unknown key (named with its line), or a value that cannot be
    """
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise RequestError(f"{path.name} cannot be read: {why}") from error
    if len(content) > LONGEST:
        raise RequestError(f"{path.name} has {len(content)} bytes; this is not a configuration")
    return config_of(text, path.name)


def config_of(text: str, file: str = "config.yaml") -> Config:
    """The configuration that `text` states. Raises RequestError."""
    found = parse(text, file).section(KEYS)
    return Config(
        text=text,
        use_case=found["use_case"].text() if "use_case" in found else "",
        model=found["model"].text(*trainers.TRAINERS) if "model" in found else "",
        seed=found["seed"].whole() if "seed" in found else None,
        test_size=found["test_size"].number(0.01, 0.9) if "test_size" in found else None,
        split=found["split"].text("time", "stratified") if "split" in found else "",
        members=_members(found["members"]) if "members" in found else (),
        gates=_gates(found["gates"]) if "gates" in found else None,
        costs=_costs(found["costs"]) if "costs" in found else None,
        min_rows=found["min_rows"].whole(1) if "min_rows" in found else None,
        min_positives=found["min_positives"].whole(1) if "min_positives" in found else None,
        as_of=_moment(found["as_of"]) if "as_of" in found else None,
        data=_flat(found["data"]) if "data" in found else None,
        stated=found,
    )


def _model(found: Mapping[str, Value]) -> ModelSpec:
    trainer = found["model"].text(*trainers.TRAINERS)
    given = found.get("hyperparameters")
    seed = found["seed"].whole() if "seed" in found else 7
    settings = hyperparameters(given, trainer) if given else {}
    return ModelSpec(trainer=trainer, hyperparameters=settings, seed=seed)


def hyperparameters(given: Value, trainer: str) -> dict[str, Plain]:
    """The settings, each one that the trainer has and of its kind. Raises RequestError."""
    defaults = trainers.get(trainer).DEFAULTS
    found = given.section(defaults)
    return {name: _setting(value, defaults[name]) for name, value in found.items()}


def _setting(value: Value, default: Plain) -> Plain:
    made = value.plain()
    if isinstance(default, bool) != isinstance(made, bool):
        raise value.refuse("must be true or false" if isinstance(default, bool) else "is no switch")
    if isinstance(default, int | float) and isinstance(made, str):
        raise value.refuse("must be a number")
    if isinstance(default, int) and isinstance(made, float) and not made.is_integer():
        raise value.refuse("must be a whole number")
    return int(made) if isinstance(default, int) and isinstance(made, float) else made


def _members(given: Value) -> tuple[ModelSpec, ...]:
    if not given.items or len(given.items) < 2:
        raise given.refuse("must be a list of at least two models")
    return tuple(_model(_needing(item, "model", MODEL_KEYS)) for item in given.items)


def _needing(value: Value, needed: str, known: tuple[str, ...]) -> dict[str, Value]:
    found = value.section(known)
    if needed not in found:
        raise value.refuse(f"needs {needed}")
    return found


def search_of(given: Value, trainer: str) -> Search:
    """How the trainer's hyperparameters are sought. Raises RequestError."""
    keys = ("method", "space", "folds", "iterations", "scoring", "seed")
    found = _needing(given, "space", keys)
    method = found["method"].text(*METHODS) if "method" in found else "grid"
    return Search(
        method=next(m for m in METHODS if m == method),
        space=space_of(found["space"], trainer, grid=method == "grid"),
        folds=found["folds"].whole(1, 20) if "folds" in found else 3,
        iterations=found["iterations"].whole(1, 10_000) if "iterations" in found else 20,
        scoring=found["scoring"].text() if "scoring" in found else "",
        seed=found["seed"].whole() if "seed" in found else None,
    )


def _gates(given: Value) -> tuple[Gate, ...]:
    if given.items is None:
        raise given.refuse("must be a list of {metric, at_least, at_most}")
    made = []
    for item in given.items:
        found = _needing(item, "metric", ("metric", "at_least", "at_most"))
        bounds = {n: found[n].number() for n in ("at_least", "at_most") if n in found}
        if not bounds:
            raise item.refuse("needs at_least, at_most or both")
        made.append(Gate(found["metric"].text(), **bounds))
    return tuple(made)


def _costs(given: Value) -> CostMatrix:
    needed = ("false_negative_minor", "false_positive_minor")
    found = given.section((*needed, "true_positive_minor", "currency"))
    for name in needed:
        if name not in found:
            raise given.refuse(f"needs {name}")
    told = {name: value.whole() for name, value in found.items() if name != "currency"}
    currency = found["currency"].text() if "currency" in found else "EUR"
    return CostMatrix(**told, currency=currency)


def _moment(given: Value) -> datetime:
    value = given.value
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    try:
        return parse_iso(str(value)) if isinstance(value, str) else _naive(given)
    except DataError as error:
        raise given.refuse(
            "must be a moment with its time zone, as 2026-11-21T00:00:00Z"
        ) from error


def _naive(given: Value) -> datetime:
    raise given.refuse("must be a moment with its time zone, as 2026-11-21T00:00:00Z")


def _flat(given: Value) -> Flat:
    texts = ("label", "name", "positive", "key", "time", "time_zone", "label_time", "entity")
    found = _needing(given, "label", (*texts, "features", "groups", "repeats"))
    told = {
        n: _as_text(found[n]) if n == "positive" else found[n].text() for n in texts if n in found
    }
    every = "features" not in found or found["features"].value == "all"
    repeats = "repeats" in found and found["repeats"].text("refused", "allowed") == "allowed"
    return Flat(
        **told,
        features=() if every else found["features"].texts(),
        groups=found["groups"].texts() if "groups" in found else (),
        repeats=repeats,
        stated=found,
    )


def _as_text(given: Value) -> str:
    """A label's value as a file writes it: 1 is "1", true is "true"."""
    made = given.value
    if isinstance(made, bool):
        return str(made).lower()
    if not isinstance(made, int | float | str):
        raise given.refuse("must be the value of the label that counts as yes")
    return str(made)
