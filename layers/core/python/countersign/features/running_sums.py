"""Values of a view in running sums, where counts and sums of large entities change fact by fact.

A count or a sum (and so a mean or a rate) can be carried from one point to the next: what became known
is added, what ceased to stand is taken away. Along the diagonal, where a moment e is seen as known at e,
a version counts from the later of its entry and its `known_at` until the earlier of its leaving and its
end; from there on, as known later, each change that covers e is one step. So the cost grows with the
points and not with the facts in the window of each, as in the join of `engine.values_sql`. Sums are
decimals: no order of steps changes a bit. Everything else goes the way of the join, over rows that are
left when facts of one moment, of which only the moment matters, are taken as one.
"""

# ruff: noqa: S608 - SQL is made of declarations, never of what a request or a file says
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from countersign.declare import Feature, FeatureView, Window
from countersign.features import engine
from countersign.features.aggregations import conditions, decimal, stored
from countersign.features.duck import quote
from countersign.features.stream import FOREVER
from countersign.features.windows import ALL_HISTORY, entry, leaving

_ADDED = frozenset({"count", "sum", "mean", "rate"})


def serves(view: FeatureView) -> bool:
    """Whether something can be added up, and the facts of some source need not be joined one by one."""
    ahead = any(w.delay < timedelta(0) for w in engine.windows_of(view))
    added = any(f.aggregation in _ADDED for f in view.features)
    return added and not ahead and not view.carries and bool(_folded(view))


def values_sql(view: FeatureView, stream: str, points: str, keep: Sequence[str] = ()) -> str:
    """What `engine.values_sql` yields for a view that is served here; no point has `_k < _e`."""
    sums = _Sums(view)
    named = {f.name: sums.value(f) for f in view.features if f.aggregation in _ADDED}
    key = ", ".join(["_entity", "_e", "_k", *keep])
    columns = ", ".join(f'{stored(value)} AS "{name}"' for name, value in named.items())
    added = f"SELECT {key}, {columns} FROM ({_sums_sql(sums, stream, points, key)})"
    joined = engine.values_sql(view, _coarse(view, stream), points, keep, _joined(view))
    return f"SELECT * FROM ({joined}) JOIN ({added}) USING ({key})"


@dataclass(slots=True)
class _Sums:
    """What is added up of each version, in SQL over the stream: `_m<n>`, over the window `places[n]`."""

    view: FeatureView
    terms: dict[tuple[int, str], int] = field(default_factory=dict)

    @property
    def windows(self) -> tuple[Window, ...]:
        """Of the features that are added up here."""
        added = [f.window or ALL_HISTORY for f in self.view.features if f.aggregation in _ADDED]
        return tuple(dict.fromkeys(added))

    def value(self, feature: Feature) -> str:
        """The aggregate in SQL over the sums, as `aggregations.unsettled` defines it."""
        if feature.aggregation == "count":
            given = [] if feature.expression == "1" else [f"({feature.expression}) IS NOT NULL"]
            return f"coalesce({self._count(feature, given)}, 0)::DOUBLE"
        if feature.aggregation == "rate":
            below = [f"({feature.denominator})"] if feature.denominator else []
            hits, rows = (self._count(feature, c) for c in ([f"({feature.expression})"], below))
            return f"(coalesce({hits}, 0) / nullif({rows}, 0)::DOUBLE)"
        number = decimal(feature)
        total, rows = self._sum(feature, number), self._count(feature, [f"{number} IS NOT NULL"])
        share = f" / {rows}" if feature.aggregation == "mean" else ""
        return f"(CASE WHEN {rows} > 0 THEN {total}::DOUBLE{share} END)"

    def of_window(self, place: int) -> list[str]:
        """The columns that count by the window at `place` of `windows`."""
        return [f"_m{n}" for (window, _), n in self.terms.items() if window == place]

    @property
    def columns(self) -> list[str]:
        """Every column that is added up."""
        return [f"_m{n}" for n in self.terms.values()]

    def _count(self, feature: Feature, given: Sequence[str]) -> str:
        hit = " AND ".join([*conditions(self.view, feature), *given]) or "true"
        return f"{self._term(feature, f'CASE WHEN {hit} THEN 1 ELSE 0 END')}::BIGINT"

    def _sum(self, feature: Feature, number: str) -> str:
        hit = " AND ".join(conditions(self.view, feature)) or "true"
        return self._term(feature, f"CASE WHEN {hit} THEN {number} END")

    def _term(self, feature: Feature, per_row: str) -> str:
        place = self.windows.index(feature.window or ALL_HISTORY)
        return f"_m{self.terms.setdefault((place, per_row), len(self.terms))}"


def _sums_sql(sums: _Sums, stream: str, points: str, key: str) -> str:
    """The sums at `points`, a row per point."""
    measured = ", ".join(f"{per_row} AS _m{n}" for (_, per_row), n in sums.terms.items())
    edges = ", ".join(
        f"{entry(w, '_t')} AS _in{n}, {leaving(w, '_t') or FOREVER} AS _out{n}"
        for n, w in enumerate(sums.windows)
    )
    places = range(len(sums.windows))
    every = ", ".join(sums.columns)
    diagonal = " UNION ALL BY NAME ".join(_on_the_diagonal(sums, n) for n in places)
    first, last = (f"({', '.join(f'{edge}{n}' for n in places)})" for edge in ("_in", "_out"))
    later = " UNION ALL BY NAME ".join(
        f"SELECT _entity, _e, {moment} AS _k, {_covering(sums, sign)} "
        f"FROM _versions JOIN _ticks USING (_entity) WHERE _e < {moment} AND {moment} <= _last "
        f"AND _e >= least{first} AND _e < greatest{last}"
        for moment, sign in (("_known", ""), ("_until", "-"))
    )
    running = ", ".join(f"sum({m}) OVER so_far AS {m}" for m in sums.columns)
    return f"""
    WITH _asked AS MATERIALIZED (SELECT DISTINCT {key} FROM {points}),
    _ticks AS MATERIALIZED (SELECT _entity, _e, max(_k) AS _last FROM _asked GROUP BY ALL),
    _versions AS MATERIALIZED (
        SELECT _entity, _known, _until, {edges}, {measured} FROM {stream}
    ), _turns AS (
        {diagonal} UNION ALL BY NAME SELECT _entity, _e AS _at, true AS _tick FROM _ticks
    ), _at_once AS (
        SELECT _entity, _at AS _e, _at AS _k, {running} FROM _turns
        WINDOW so_far AS (PARTITION BY _entity ORDER BY _at RANGE UNBOUNDED PRECEDING)
        QUALIFY _tick
    ), _steps AS (
        SELECT _entity, _e, _k, {every} FROM _at_once UNION ALL BY NAME {later}
        UNION ALL BY NAME SELECT {key}, true AS _point FROM _asked
    )
    SELECT {key}, {running} FROM _steps
    WINDOW so_far AS (PARTITION BY _entity, _e ORDER BY _k RANGE UNBOUNDED PRECEDING)
    QUALIFY _point
    """


def _on_the_diagonal(sums: _Sums, place: int) -> str:
    """When the versions begin and cease to count at (e, e) in a window: `_at`, and by how much."""
    begin, end = f"greatest(_in{place}, _known)", f"least(_out{place}, _until)"
    terms = sums.of_window(place)
    adds, takes = (", ".join(f"{sign}{m} AS {m}" for m in terms) for sign in ("", "-"))
    return (
        f"SELECT _entity, {begin} AS _at, {adds} FROM _versions WHERE {begin} < {end} "
        f"UNION ALL BY NAME SELECT _entity, {end} AS _at, {takes} FROM _versions "
        f"WHERE {begin} < {end} AND {end} < {FOREVER}"
    )


def _covering(sums: _Sums, sign: str) -> str:
    """What a version adds at `_e`, window by window."""
    return ", ".join(
        f"CASE WHEN _e >= _in{place} AND _e < _out{place} THEN {sign}{m} END AS {m}"
        for place in range(len(sums.windows))
        for m in sums.of_window(place)
    )


def _joined(view: FeatureView) -> list[Feature]:
    """The features that cannot be added up."""
    return [f for f in view.features if f.aggregation not in _ADDED]


def _folded(view: FeatureView) -> list[str]:
    """The sources of which the join needs no more than when there was something."""
    read = {f.source or view.source.name for f in _joined(view)}
    return [s.name for s in view.sources() if s.name not in read and "*" not in read]


def _coarse(view: FeatureView, stream: str) -> str:
    """The stream, but one row for all versions of folded sources at one `_t` while any of them stands."""
    folded = ", ".join(map(quote, _folded(view)))
    group = "_entity, _source, _t"
    return f"""(
    SELECT * FROM {stream} WHERE _source NOT IN ({folded}) UNION ALL BY NAME
    SELECT {group}, min(_known) AS _known, max(_until) AS _until FROM (
        SELECT *, count(*) FILTER (_stood IS NULL OR _stood < _known) OVER (
            PARTITION BY {group} ORDER BY _known, _until ROWS UNBOUNDED PRECEDING
        ) AS _island FROM (
            SELECT {group}, _known, _until, max(_until) OVER (
                PARTITION BY {group} ORDER BY _known, _until
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS _stood FROM {stream} WHERE _source IN ({folded})
        )
    ) GROUP BY {group}, _island)"""
