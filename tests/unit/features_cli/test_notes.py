"""The worked point-in-time note says what the engine does: its bounds are held against the engine's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from countersign.declare import Window
from countersign.features import duck, windows
from countersign.features.duck import timestamp
from countersign.features.notes import note, span
from countersign.use_cases import registered
from hypothesis import given
from hypothesis import strategies as st

SPANS: list[dict[str, Any]] = [
    {}, {"months": 1}, {"months": 6}, {"months": 13}, {"year_to_date": True},
    {"duration": timedelta(days=7)}, {"duration": timedelta(hours=5)},
]  # fmt: skip


@pytest.fixture(scope="module")
def engine() -> Any:
    with duck.connect() as connection:
        yield connection


@given(
    chosen=st.sampled_from(SPANS),
    current=st.booleans(),
    delay=st.sampled_from([timedelta(0), timedelta(days=7), timedelta(days=40, hours=3)]),
    moment=st.datetimes(datetime(2020, 1, 1), datetime(2030, 12, 31)),  # noqa: DTZ001 - made aware below
)
def test_the_span_in_words_is_the_span_of_the_engine(
    engine: Any, chosen: dict[str, Any], current: bool, delay: timedelta, moment: datetime
) -> None:
    window = Window(**chosen, include_current=current, delay=delay)
    at = moment.replace(tzinfo=UTC)
    low, high = windows.bounds(window, timestamp(at))
    found = engine.execute(f"SELECT {low or 'NULL'}, {high}").fetchone()
    expected = tuple(value.replace(tzinfo=UTC) if value else None for value in found)
    assert span(window, at) == expected


def test_june_counts_january_to_june() -> None:
    low, high = span(Window(months=6), datetime(2026, 6, 30, 12, tzinfo=UTC))
    assert (low, high) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 30, 12, tzinfo=UTC))


def test_every_declared_feature_has_a_note() -> None:
    at = datetime(2026, 11, 21, 14, tzinfo=UTC)
    for use_case in registered():
        for view in use_case.views:
            for feature in view.features:
                assert note(view, feature, at).startswith("As of 2026-11-21 14:00Z it counts")
