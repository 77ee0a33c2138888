"""Looking at every day without paying for it: an anytime-valid e-process on discordant pairs."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

ALPHA = 0.05


def log_e_value(b: int, c: int) -> float:
    """Logarithm of B(b+1, c+1) · 2^(b+c), the evidence against "either model is as likely to be the right one".

    A mixture of likelihood ratios over a uniform win rate: a martingale under the null, so P(it ever reaches
    1/α) ≤ α however often one looks (Ville's inequality).
    """
    return (
        math.lgamma(b + 1) + math.lgamma(c + 1) - math.lgamma(b + c + 2) + (b + c) * math.log(2.0)
    )


def e_value(b: int, c: int) -> float:
    """The same on the natural scale; infinite where it passes what a float holds."""
    log_value = log_e_value(b, c)
    return math.exp(log_value) if log_value < 700 else math.inf


@dataclass(frozen=True, slots=True)
class SequentialResult:
    """`stopped_at` counts discordant pairs; `p` is the anytime-valid p, 1 / max E, at most 1."""

    stopped_at: int | None
    e: float
    p: float
    b: int
    c: int


def watch(first_wins: Iterable[bool], *, alpha: float = ALPHA) -> SequentialResult:
    """Follow discordant pairs in order of arrival; stop at the first E ≥ 1/alpha.

    Parameters
    ----------
    first_wins : iterable of bool
        Per discordant pair: was the first model the right one?
    alpha : float
        The chance of ever stopping when neither model is better.
    """
    b = c = 0
    highest = 0.0
    for won in first_wins:
        b, c = (b + 1, c) if won else (b, c + 1)
        highest = max(highest, log_e_value(b, c))
        if highest >= -math.log(alpha):
            return SequentialResult(b + c, e_value(b, c), math.exp(-highest), b, c)
    return SequentialResult(None, e_value(b, c), min(1.0, math.exp(-highest)), b, c)
