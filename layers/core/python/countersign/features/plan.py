"""What a change of declarations will do, before it is done. Pure: rows in, a plan out.

On record are the rows of the feature registry; declared are those of a checkout. A change of values
recomputes the history of the whole view and leaves its online rows unreadable until they have been
materialized again, because a packed row names the definition it was packed under.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from countersign.features.record import active, content, differs

Row = Mapping[str, Any]
Action = Literal["add", "change", "retire", "restore"]
Effect = Literal["values", "serving", "metadata"]
Verdict = Literal["broken", "retrain", "review"]

# What serving does with a value changes; the values themselves do not.
_SERVING = ("critical", "nulls", "fill", "valid", "maximum_staleness_seconds", "ttl_seconds")
# Said by `definition` field by field already.
_DERIVED = ("computation_logic", "boundary", "code_digest", "source_table")
_VALUES = (*_DERIVED, "sources", "entity", "buckets", "kind")
_IDENTITY = ("view", "feature_name")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after, and what the difference touches."""

    field: str
    before: Any
    after: Any
    effect: Effect


@dataclass(frozen=True, slots=True)
class FeatureChange:
    """What becomes of one feature. `effect` is the greatest of its fields'."""

    view: str
    feature: str
    action: Action
    effect: Effect
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of a view's history: parts and bytes in the lake, entities at the last log."""

    parts: int = 0
    bytes: int = 0
    entities: int = 0


@dataclass(frozen=True, slots=True)
class ViewChange:
    """What becomes of one view.

    `recomputed`: its history is computed again, and its online rows cannot be read until it has been
    materialized. Meanwhile `blocks` answer 424, and `degrades` see nulls in its place.
    """

    view: str
    action: Action
    before: str
    after: str
    recomputed: bool
    buckets: int
    held: Held
    fields: tuple[FieldChange, ...]
    blocks: tuple[str, ...]
    degrades: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Serving:
    """A use case as far as a plan needs it. `critical`: the views that a score cannot do without.

    `reads`: every feature its scores depend on, those that its request-time inputs read among them.
    """

    use_case: str
    code_digest: str
    views: tuple[str, ...]
    critical: frozenset[str]
    reads: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Trained:
    """A version in Staging or Production, and the features and their code it was trained on."""

    use_case: str
    version: str
    stage: str
    features: tuple[str, ...]
    code_digest: str


@dataclass(frozen=True, slots=True)
class ModelChange:
    """What a version meets.

    `retrain`: inputs are computed otherwise than those it was trained on, so a rollback to it would
    meet them too. `broken`: an input is gone. `review`: rules or request-time inputs read the features.
    """

    use_case: str
    version: str
    stage: str
    verdict: Verdict
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """Who uses what, and how much is held of it by view."""

    serving: tuple[Serving, ...] = ()
    trained: tuple[Trained, ...] = ()
    held: Mapping[str, Held] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that differs, and what that means."""

    features: tuple[FeatureChange, ...]
    views: tuple[ViewChange, ...]
    models: tuple[ModelChange, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.features and not self.views

    @property
    def safe(self) -> bool:
        """Whether no value changes and no request meets anything else than before."""
        return all(change.effect == "metadata" for change in self.features) and not any(
            view.recomputed or any(f.effect != "metadata" for f in view.fields)
            for view in self.views
        )

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"empty": self.empty, "safe": self.safe, **asdict(self)}


def plan(
    on_record: tuple[Sequence[Row], Sequence[Row]],
    declared: tuple[Sequence[Row], Sequence[Row]],
    usage: Usage,
) -> Plan:
    """The difference of two (feature rows, view rows), in the order of views and names."""
    features = tuple(_features(on_record[0], declared[0]))
    views = tuple(_views(on_record[1], declared[1], usage))
    everywhere = _recomputed_whole(features, views, declared[0])
    return Plan(features, views, tuple(_models((*features, *everywhere), usage)))


def _features(on_record: Iterable[Row], declared: Iterable[Row]) -> Iterable[FeatureChange]:
    for (view, name), before, after in _pairs(on_record, declared, _IDENTITY):
        action = _action(before, after)
        if action is None:
            continue
        fields: tuple[FieldChange, ...] = ()
        effect: Effect = "values" if action != "retire" else "serving"
        if action == "change":
            fields = tuple(_fields(before or {}, after or {}))
            effect = _greatest(fields)
        yield FeatureChange(view, name, action, effect, fields)


def _views(on_record: Iterable[Row], declared: Iterable[Row], usage: Usage) -> Iterable[ViewChange]:
    for (name,), before, after in _pairs(on_record, declared, ("view",)):
        action = _action(before, after)
        if action is None:
            continue
        old, new = (str((row or {}).get("definition", "")) for row in (before, after))
        buckets = int((after or before or {}).get("buckets", 0))
        # Request-time features are computed from the request: nothing of them is held.
        recomputed = bool(buckets) and action != "retire" and old != new
        users = [s for s in usage.serving if recomputed and name in s.views]
        yield ViewChange(
            view=name,
            action=action,
            before=old,
            after=new if action != "retire" else "",
            recomputed=recomputed,
            buckets=buckets,
            held=(usage.held or {}).get(name, Held()),
            fields=tuple(_fields(before or {}, after or {})) if action == "change" else (),
            blocks=tuple(s.use_case for s in users if name in s.critical),
            degrades=tuple(s.use_case for s in users if name not in s.critical),
        )


def _recomputed_whole(
    features: Sequence[FeatureChange], views: Sequence[ViewChange], declared: Iterable[Row]
) -> Iterable[FeatureChange]:
    """Every feature of a view whose definition differs by its engine, keys or sources alone."""
    whole = {v.view for v in views if v.recomputed and v.action == "change"}
    whole -= {c.view for c in features if c.effect == "values"}
    for row in declared:
        if row["view"] in whole:
            yield FeatureChange(str(row["view"]), str(row["feature_name"]), "change", "values")


def _models(features: Sequence[FeatureChange], usage: Usage) -> Iterable[ModelChange]:
    serving = {s.use_case: s for s in usage.serving}
    touched = [c for c in features if c.effect != "metadata"]
    for model in usage.trained:
        mine = serving.get(model.use_case)
        reached = [c for c in touched if _reaches(c, mine)]
        own = [c for c in reached if c.feature in model.features]
        verdicts: dict[Verdict, list[FeatureChange]] = {
            "broken": [c for c in own if c.action == "retire"]
        }
        if mine is None or mine.code_digest != model.code_digest:
            verdicts["retrain"] = [c for c in own if _retrains(c)]
        if mine is not None:
            read = [c for c in reached if c not in own and _retrains(c)]
            verdicts["review"] = [
                c for c in read if c.feature in mine.reads or c.action == "retire"
            ]
        for verdict, changes in verdicts.items():
            if changes:
                names = tuple(sorted(c.feature for c in changes))
                yield ModelChange(model.use_case, model.version, model.stage, verdict, names)
                break


def _reaches(change: FeatureChange, mine: Serving | None) -> bool:
    """Whether the changed feature is the use case's own, and not another's of the same name."""
    return mine is None or change.view in mine.views or change.view.startswith("request")


def _retrains(change: FeatureChange) -> bool:
    fills = any(f.field in {"nulls", "fill"} for f in change.fields)
    return change.effect == "values" or fills


def _pairs(
    left: Iterable[Row], right: Iterable[Row], key: tuple[str, ...]
) -> Iterable[tuple[tuple[str, ...], Row | None, Row | None]]:
    before = {tuple(str(row[k]) for k in key): row for row in left}
    after = {tuple(str(row[k]) for k in key): row for row in right}
    for name in sorted({*before, *after}):
        yield name, before.get(name), after.get(name)


def _action(before: Row | None, after: Row | None) -> Action | None:
    if before is None:
        return "add"
    if after is None:
        return "retire" if active(before) else None
    if not active(before):
        return "restore"
    return "change" if differs(before, after) else None


def _fields(before: Row, after: Row) -> Iterable[FieldChange]:
    """The fields that differ; those of a definition one by one, what derives from it left out."""
    left, right = _flat(content(before)), _flat(content(after))
    for name in sorted({*left, *right}):
        if differs({"": left.get(name)}, {"": right.get(name)}):
            yield FieldChange(name, left.get(name), right.get(name), _effect(name))


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    parts = row.get("definition")
    if not isinstance(parts, Mapping) or not parts:
        return dict(row)
    plain = {n: v for n, v in row.items() if n != "definition" and n not in _DERIVED}
    return plain | {f"definition.{name}": value for name, value in parts.items()}


def _effect(field: str) -> Effect:
    if field.startswith("definition") or field in _VALUES:
        return "values"
    return "serving" if field in _SERVING else "metadata"


def _greatest(fields: Iterable[FieldChange]) -> Effect:
    found = {f.effect for f in fields}
    return "values" if "values" in found else "serving" if "serving" in found else "metadata"
