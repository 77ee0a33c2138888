"""Plain values to DynamoDB and back, every bit of them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from countersign.aws.attributes import marshal, plain
from countersign.errors import DataError
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.text()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_what_was_stored_is_what_is_read(value: Any) -> None:
    assert plain(marshal(value)) == value


def test_a_true_is_no_number_and_a_whole_number_is_an_int() -> None:
    assert marshal(True) == {"BOOL": True}
    assert type(plain({"N": "3"})) is int
    assert plain({"B": b"v"}) == b"v"


@pytest.mark.parametrize("value", [math.nan, math.inf, [1.0, -math.inf]])
def test_nan_and_infinity_are_refused(value: Any) -> None:
    with pytest.raises(DataError):
        marshal(value)


def test_a_set_is_no_value_of_ours() -> None:
    with pytest.raises(TypeError):
        marshal({1, 2})
