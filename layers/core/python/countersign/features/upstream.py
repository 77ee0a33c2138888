"""Scores of other models as inputs: what was said when the row was scored, never what is said of it today.

A row carries them itself, as it was first known. A model trained since has learned how the row ended, so its
opinion now would be hindsight: an absent score stays null and is filled as declared, in training as in serving.
"""
# ruff: noqa: S608 - SQL is made of declarations

from __future__ import annotations

from datetime import timedelta
from typing import Any

from countersign.declare import UseCase
from countersign.errors import FieldError, LeakageError

# A nightly export tells a day later what was said. What comes later than that was said with hindsight.
LATEST = timedelta(days=1)


def check_upstream(connection: Any, use_case: UseCase, spine: str) -> dict[str, Any]:
    """Of each upstream use case, how many rows of `spine` have its score: {name: {column, stated, null}}.

    Raises
    ------
    LeakageError      a score that came with a row more than a day after the moment it is about
    """
    found = {}
    for name in use_case.upstream:
        column = f"{name}_score"
        late = (
            f"{use_case.spine.known_at}::TIMESTAMPTZ > as_of + to_seconds({LATEST.total_seconds()})"
        )
        stated, null, hindsight = connection.execute(
            f'SELECT count("{column}"), count(*) FILTER ("{column}" IS NULL), '
            f'count("{column}") FILTER ({late}) FROM {spine}'
        ).fetchone()
        if hindsight:
            raise LeakageError(
                f"{hindsight} scores of {name} became known more than {LATEST.days} day after the row they "
                f"are about; deliver what was said at that moment, or leave {column} empty",
                errors=[FieldError(column, "what was said when the row was scored")],
            )
        found[name] = {"column": column, "stated": stated, "null": null}
    return found
