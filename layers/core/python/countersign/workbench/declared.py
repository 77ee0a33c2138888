"""A use case as a configuration wants it trained: its declaration, with what the file says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace

from countersign.declare import ModelSpec, Split, UseCase
from countersign.learning import trainers
from countersign.workbench.config import Config, Search, hyperparameters, search_of
from countersign.workbench.search.scoring import check_scoring

ENSEMBLES = ("stacking", "vote", "weighted")
OF_CLASSES_ONLY = ("xgboost_multiclass",)
BINARY_ONLY = ("xgboost_binary", "vote", "isolation_forest")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be trained, and how its hyperparameters are sought (None: they are given)."""

    use_case: UseCase
    search: Search | None


def wanted(use_case: UseCase, config: Config) -> Wanted:
    """The declaration with the configuration's model, split, gates and costs.

    Raises
    ------
    RequestError    what the configuration says does not fit the use case or the trainer, with the line
    """
    spec = _spec(use_case, config)
    _check_classes(use_case, config, spec.trainer)
    made = replace(
        use_case,
        model=spec,
        split=_split(use_case.split, config),
        gates=use_case.gates if config.gates is None else config.gates,
        costs=config.costs or use_case.costs,
    )
    if "search" not in config.stated:
        return Wanted(made, None)
    search = search_of(config.stated["search"], spec.trainer)
    scoring = search.scoring or ("log_loss" if use_case.label.classes else "average_precision")
    check_scoring(config.stated["search"], scoring, use_case.label.classes)
    seed = spec.seed if search.seed is None else search.seed
    return Wanted(made, replace(search, scoring=scoring, seed=seed))


def _spec(use_case: UseCase, config: Config) -> ModelSpec:
    """Another trainer begins with its own defaults, not with another's hyperparameters."""
    declared = use_case.model
    trainer = config.model or declared.trainer
    trainers.get(trainer)
    kept = dict(declared.hyperparameters) if trainer == declared.trainer else {}
    if "hyperparameters" in config.stated:
        kept |= hyperparameters(config.stated["hyperparameters"], trainer)
    members = config.members or (declared.members if trainer == declared.trainer else ())
    if config.members and trainer not in ENSEMBLES:
        raise config.refuse("members", f"are parts of an ensemble; model is {trainer}")
    if trainer in ENSEMBLES and len(members) < 2:
        raise config.refuse("model", f"{trainer} needs members, a list of at least two models")
    seed = declared.seed if config.seed is None else config.seed
    return ModelSpec(trainer=trainer, hyperparameters=kept, seed=seed, members=members)


def _check_classes(use_case: UseCase, config: Config, trainer: str) -> None:
    classes = len(use_case.label.classes)
    if classes and trainer in BINARY_ONLY:
        raise config.refuse(
            "model",
            f"{trainer} answers yes or no and the label {use_case.label.name} has {classes} values; "
            "take xgboost_multiclass, random_forest, logistic_regression, weighted or stacking",
        )
    if not classes and trainer in OF_CLASSES_ONLY:
        raise config.refuse(
            "model", f"{trainer} is for a label of classes; {use_case.label.name} is yes or no"
        )


def _split(declared: Split, config: Config) -> Split:
    """A quarter of what is not test chooses: stops early, calibrates, sets the threshold."""
    changed = declared
    if config.test_size is not None:
        left = 1.0 - config.test_size
        changed = replace(changed, train=round(left * 0.75, 9), validate=round(left * 0.25, 9))
    if config.split:
        changed = replace(changed, order="time" if config.split == "time" else "stratified")
    if config.min_rows is not None:
        changed = replace(changed, min_rows=config.min_rows)
    if config.min_positives is not None:
        changed = replace(changed, min_positives=config.min_positives)
    return changed
