"""Fields that the scoring bodies of payments have in common."""

from collections.abc import Sequence
from dataclasses import replace

from countersign.declare import RequestField

from .columns import LARGEST_CENTS

CODE = "^[a-z][a-z_]*$"
ID = "^[A-Za-z0-9._:-]+$"
COUNTRY_CODE = "^[A-Z]{2}$"
CUSTOMER_ID = RequestField(
    path="customer_id",
    type="string",
    pattern=ID,
    description="The account; for a guest the id that the payment platform gave their instrument",
)
COUNTRY = RequestField(
    path="country", type="string", pattern=COUNTRY_CODE, description="ISO 3166 code of the shop"
)
IDEMPOTENCY_KEY = RequestField(
    path="idempotency_key",
    type="string",
    required=False,
    max_length=128,
    description="Or the Idempotency-Key header; the same key gives the same answer",
)


def at_hand(
    fields: Sequence[RequestField], *, known: Sequence[RequestField]
) -> tuple[RequestField, ...]:
    """The fields of an upstream's body, none of them required, without those that are `known` already."""
    names = {field.path.rpartition(".")[2] for field in known}
    return tuple(
        replace(field, required=False)
        for field in fields
        if field.path.rpartition(".")[2] not in names
    )


def identity(path: str, description: str) -> RequestField:
    """An id."""
    return RequestField(path=path, type="string", pattern=ID, description=description)


def code(path: str, description: str, *, required: bool = True) -> RequestField:
    """A lower-case word; one that no list knows is scored as unknown."""
    return RequestField(
        path=path, type="string", pattern=CODE, required=required, description=description
    )


def cents(path: str, description: str) -> RequestField:
    """Money, cents of the reporting currency."""
    return RequestField(
        path=path, type="integer", minimum=1, maximum=LARGEST_CENTS, description=description
    )


def whole(path: str, maximum: float, description: str, *, minimum: float = 0) -> RequestField:
    """A count."""
    return RequestField(
        path=path, type="integer", minimum=minimum, maximum=maximum, description=description
    )


def moment(path: str, description: str) -> RequestField:
    """An instant: the as-of moment of the score."""
    return RequestField(path=path, type="timestamp", description=description)


def score(path: str, description: str) -> RequestField:
    """What an upstream model says; absent where none answered."""
    return RequestField(
        path=path, type="number", required=False, minimum=0, maximum=1, description=description
    )
