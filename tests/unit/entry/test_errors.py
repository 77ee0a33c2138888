"""The exception tree: complete, documented, and mapped to problem+json."""

from __future__ import annotations

import re

import pytest
from countersign import errors
from countersign.entry import catchable
from countersign.errors import CountersignError, FieldError


def tree(root: type[CountersignError] = CountersignError) -> list[type[CountersignError]]:
    """The errors of the house; a command's own errors are its own business."""
    grown = [c for child in root.__subclasses__() for c in tree(child)]
    return [root, *(c for c in grown if c.__module__ == errors.__name__)]


def documented() -> dict[str, str]:
    return dict(re.findall(r"(\w+Error)\s+(\d{3})", errors.__doc__ or ""))


@pytest.mark.parametrize("error", tree()[1:], ids=lambda c: c.__name__)
def test_every_error_is_drawn_in_the_tree_with_its_status(error: type[CountersignError]) -> None:
    assert documented()[error.__name__] == str(error.status)


def test_nothing_is_drawn_that_does_not_exist() -> None:
    assert set(documented()) == {c.__name__ for c in tree()[1:]}


@pytest.mark.parametrize("error", tree(), ids=lambda c: c.__name__)
def test_a_state_machine_can_catch_it_by_its_family(error: type[CountersignError]) -> None:
    caught = catchable(error("what", errors=[FieldError("pay", "a number")]))
    assert CountersignError in type(caught).__bases__ or type(caught) is CountersignError
    assert "what" in str(caught)
    assert caught.errors == (FieldError("pay", "a number"),)


def test_a_problem_names_the_field_and_what_was_expected_never_the_value() -> None:
    problem = errors.RequestError("No", errors=[FieldError("pay", "a number", 3)]).problem("r-1")
    assert problem == {
        "type": "urn:countersign:problem:request",
        "title": "The request is malformed",
        "status": 400,
        "detail": "No",
        "request_id": "r-1",
        "retryable": False,
        "errors": [{"field": "pay", "expected": "a number", "row": 3}],
    }
