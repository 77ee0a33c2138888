"""Errors put into real earnings on request, so that a detector can be judged. They taint everything.

Kinds carry the names the generator uses. The first year is left alone: nobody could tell an error
there without a year before it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np

from countersign.cli.importers.earnings_formats import COMPONENTS
from countersign.cli.importers.earnings_tables import Row, Slip, known_at, with_pay, year_end

Amounts = tuple[int | None, ...]
Strike = Callable[[Slip, Slip | None, np.random.Generator], Amounts | None]

_REGULAR, _OTHER, _OVERTIME = (COMPONENTS.index(name) for name in ("regular", "other", "overtime"))


def inject(slips: Sequence[Slip], *, rate: float, seed: int) -> list[Slip]:
    """Spoil `rate` of the payslips of the later years; each spoiled slip names its `kind`."""
    rng = np.random.default_rng([seed, 0xEA51])
    first = min(slip.earning.year for slip in slips)
    before = {(slip.worker_id, slip.earning.year + 1): slip for slip in slips}
    later = [i for i, slip in enumerate(slips) if slip.earning.year > first]
    result = list(slips)
    free = [later[pick] for pick in rng.permutation(len(later)).tolist()]
    for kind, (share, strike) in KINDS.items():
        wanted = round(rate * len(later) * share)
        struck: set[int] = set()
        for index in free:
            if len(struck) == wanted:
                break
            slip = slips[index]
            amounts = strike(slip, before.get((slip.worker_id, slip.earning.year)), rng)
            if amounts is None:
                continue
            struck.add(index)
            if kind == "duplicate_payment":
                result.append(replace(slip, kind=kind, payslip_id=f"{slip.payslip_id}-2"))
            else:
                result[index] = with_pay(slip, kind, amounts)
        free = [index for index in free if index not in struck]
    return sorted(result, key=lambda slip: (slip.earning.year, slip.earning.row, slip.payslip_id))


def error_rows(slips: Sequence[Slip], published_after: timedelta, *, seed: int) -> list[Row]:
    """Confirmations of the injected errors, three weeks to three months after publication."""
    rng = np.random.default_rng([seed, 0xEA52])
    rows: list[Row] = []
    for slip in slips:
        if not slip.kind:
            continue
        published = known_at(slip.earning.year, published_after)
        rows.append(
            {
                "error_id": f"injected-{slip.payslip_id}",
                "payslip_id": slip.payslip_id,
                "worker_id": slip.worker_id,
                "client_id": slip.client_id,
                "kind": slip.kind,
                "severity": "medium",
                "occurred_at": year_end(slip.earning.year),
                "known_at": published + timedelta(days=int(rng.integers(21, 90))),
            }
        )
    return rows


def _scaled(amounts: Amounts, factor: float) -> Amounts:
    return tuple(None if amount is None else round(amount * factor) for amount in amounts)


def _changed(amounts: Amounts, index: int, amount: float) -> Amounts:
    return (*amounts[:index], round(amount), *amounts[index + 1 :])


def _wrong_decimal(slip: Slip, _: Slip | None, rng: np.random.Generator) -> Amounts | None:
    return _scaled(slip.earning.components, float(rng.choice(np.array([10.0, 0.1]))))


def _bonus_twice(slip: Slip, _: Slip | None, __: np.random.Generator) -> Amounts | None:
    other = slip.earning.components[_OTHER] or 0
    return _changed(slip.earning.components, _OTHER, 2 * other) if other > 50_000 else None


def _hours_typo(slip: Slip, _: Slip | None, rng: np.random.Generator) -> Amounts | None:
    overtime = slip.earning.components[_OVERTIME] or 0
    if overtime < 100_000:
        return None
    return _changed(slip.earning.components, _OVERTIME, overtime * rng.uniform(1.8, 4.0))


def _missed_raise(slip: Slip, before: Slip | None, _: np.random.Generator) -> Amounts | None:
    now = slip.earning.components[_REGULAR] or 0
    then = (before.earning.components[_REGULAR] or 0) if before else 0
    return (
        _changed(slip.earning.components, _REGULAR, then)
        if 1.02 * then < now < 1.15 * then
        else None
    )


def _zero_pay(slip: Slip, _: Slip | None, __: np.random.Generator) -> Amounts | None:
    return tuple(None if amount is None else 0 for amount in slip.earning.components)


def _duplicate(slip: Slip, _: Slip | None, __: np.random.Generator) -> Amounts | None:
    return slip.earning.components


KINDS: Mapping[str, tuple[float, Strike]] = {
    "wrong_decimal": (0.25, _wrong_decimal),
    "bonus_paid_twice": (0.20, _bonus_twice),
    "hours_typo": (0.25, _hours_typo),
    "missed_raise": (0.10, _missed_raise),
    "zero_pay": (0.10, _zero_pay),
    "duplicate_payment": (0.10, _duplicate),
}
