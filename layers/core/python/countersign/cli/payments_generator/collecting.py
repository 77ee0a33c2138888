"""What follows a failed payment: retries in their order, what brought the money, debts and their end."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from countersign.cli.payments_generator.world import World
from countersign.use_cases.payments.billing import STRATEGIES
from countersign.use_cases.payments.columns import FAILURES

_HOUR = np.timedelta64(3600, "s")
_DAY = np.timedelta64(86_400, "s")
# The strategy that brings the money, by failure code; columns as STRATEGIES.
_WORKS = np.array(
    [
        [0.03, 0.12, 0.25, 0.45, 0.15],  # insufficient_funds
        [0.01, 0.02, 0.03, 0.02, 0.92],  # card_expired
        [0.10, 0.32, 0.26, 0.08, 0.24],  # do_not_honor
        [0.74, 0.16, 0.05, 0.02, 0.03],  # processing_error
        [0.00, 0.01, 0.01, 0.01, 0.97],  # stolen_card
        [0.38, 0.18, 0.06, 0.02, 0.36],  # authentication_failed
    ]
)
_PAYDAY, _ASK = STRATEGIES.index("retry_at_payday"), STRATEGIES.index("ask_for_new_method")


@dataclass(frozen=True, slots=True)
class Collected:
    """The frames of collections, and the payments that the retries were."""

    failures: pd.DataFrame
    attempts: pd.DataFrame
    outcomes: pd.DataFrame
    cases: pd.DataFrame
    recoveries: pd.DataFrame
    payments: pd.DataFrame


def collect(world: World, failed: pd.DataFrame) -> Collected:
    """Try every failed payment again until one strategy brings the money, or it is a debt."""
    rng = world.rng("collecting")
    failed = failed.reset_index(drop=True)
    failed["failure_id"] = "F-" + failed["payment_id"].str.removeprefix("PM-")
    failed["failure_code"] = np.array(FAILURES)[failed["failure"].to_numpy(dtype=np.int64)]
    payday = _days_to_payday(failed["at"].to_numpy().astype("M8[D]"))
    works = _what_works(failed, payday, rng)
    # Where only another method helps, a third of those who are asked give one.
    willing = 0.1 + 0.5 * failed["engagement"].to_numpy()
    settled = (works != _ASK) | (rng.random(len(failed)) < willing)
    attempts = _attempts(failed, works, settled, payday)
    last = attempts.groupby("failure_id", sort=False)["attempted_at"].max()
    when = last.reindex(failed["failure_id"]).to_numpy().astype("M8[s]") + _HOUR
    outcomes = failed[["failure_id", "customer_id"]].assign(
        outcome_id="OUT-" + failed["failure_id"],
        strategy=np.array(STRATEGIES)[works],
        settled_at=when,
        known_at=when + _HOUR,
    )
    cases, recoveries = _debts(world, failed[~settled], when[~settled], works[~settled], rng)
    return Collected(failed, attempts, outcomes, cases, recoveries, _as_payments(failed, attempts))


def _days_to_payday(days: np.ndarray) -> np.ndarray:
    """Days to the next 15th, or first of a month, whichever comes first."""
    month = days.astype("M8[M]")
    middle = month.astype("M8[D]") + 14
    following = (month + 1).astype("M8[D]")
    until = np.where(days <= middle, middle - days, following - days)
    found: np.ndarray = until.astype("m8[D]").astype(np.int64)
    return found


def _what_works(failed: pd.DataFrame, payday: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The place of the cheapest strategy that brings the money, by code, purse and calendar."""
    weight = _WORKS[failed["failure"].to_numpy(dtype=np.int64)].copy()
    purse = failed["liquidity"].to_numpy()
    poor = (failed["failure_code"] == "insufficient_funds").to_numpy()
    weight[poor, 2] *= np.where(payday[poor] <= 3, 3.0, 0.6)
    weight[poor, _PAYDAY] *= np.where(payday[poor] <= 3, 0.4, 1.3)
    weight[:, 1] *= 0.4 + 1.2 * purse
    weight[:, _ASK] *= (1.4 - 0.7 * purse) * failed["attempt_number"].to_numpy() ** 0.8
    share = (weight / weight.sum(axis=1, keepdims=True)).cumsum(axis=1)
    place: np.ndarray = (rng.random(len(failed))[:, None] >= share).sum(axis=1)
    place[place > _ASK] = _ASK
    return place


def _attempts(
    failed: pd.DataFrame, works: np.ndarray, settled: np.ndarray, payday: np.ndarray
) -> pd.DataFrame:
    """Each strategy in its order until the one that works; all are spread over two weeks or so."""
    waits = [
        np.full(len(failed), 600),
        np.full(len(failed), 86_400),
        np.full(len(failed), 3 * 86_400),
    ]
    waits += [(np.maximum(payday, 4) + 1) * 86_400, (np.maximum(payday, 4) + 5) * 86_400]
    tried = []
    for place, (strategy, wait) in enumerate(zip(STRATEGIES, waits, strict=True)):
        among = works >= place
        rows = failed.loc[among, ["failure_id", "customer_id"]]
        at = failed["at"].to_numpy().astype("M8[s]")[among] + wait[among].astype("m8[s]")
        tried.append(
            rows.assign(
                attempt_id="A-" + rows["failure_id"].str.removeprefix("F-") + f"-{place + 1}",
                strategy=strategy,
                succeeded=(works[among] == place) & settled[among],
                attempted_at=at,
                known_at=at + _HOUR // 2,
                place=place,
            )
        )
    return pd.concat(tried, ignore_index=True)


def _debts(
    world: World,
    failed: pd.DataFrame,
    settled_at: np.ndarray,
    works: np.ndarray,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cases, with what models would have said of them then, and the ones that were paid after all."""
    opened = settled_at + rng.integers(2, 30, len(failed)) * _DAY + 9 * _HOUR
    leaving, purse = 1 - failed["engagement"].to_numpy(), failed["liquidity"].to_numpy()
    first = world.start + 90 * _DAY  # before, there were no models to ask
    blank = opened < first
    churn = np.clip(leaving + rng.normal(0, 0.1, len(failed)), 0.01, 0.99).round(4)
    retry = np.clip(purse * 0.6 + rng.normal(0, 0.1, len(failed)), 0.01, 0.99).round(4)
    past = (opened - failed["at"].to_numpy().astype("M8[s]")) // _DAY
    cases = failed[["failure_id", "customer_id", "country", "amount_cents"]].assign(
        case_id="CASE-" + failed["failure_id"].str.removeprefix("F-"),
        amount_due_cents=failed["amount_cents"],
        days_past_due=past.astype(np.int64),
        attempts_made=works + failed["attempt_number"].to_numpy(),
        churn_score=np.where(blank, np.nan, churn),
        retry_score=np.where(blank, np.nan, retry),
        opened_at=opened,
        known_at=opened,
    )
    large = np.log(failed["amount_cents"].to_numpy() / 3_000)
    pull = 0.2 + 5.0 * (purse - 0.5) - 5.0 * (leaving - 0.5) - 0.7 * large
    paid = rng.random(len(failed)) < 1 / (1 + np.exp(-pull))
    money = cases.loc[paid, ["case_id", "customer_id"]].assign(
        recovery_id="REC-" + cases.loc[paid, "case_id"],
        amount_recovered_cents=cases.loc[paid, "amount_due_cents"],
    )
    money["recovered_at"] = opened[paid] + rng.integers(1, 44, int(paid.sum())) * _DAY
    money["known_at"] = money["recovered_at"] + 2 * _DAY
    return cases, money


def _as_payments(failed: pd.DataFrame, attempts: pd.DataFrame) -> pd.DataFrame:
    """Retries as the payment platform saw them; asking for a new method is a payment if one came."""
    asked = attempts["strategy"] == STRATEGIES[_ASK]
    seen = attempts[~asked | attempts["succeeded"]]
    rows = failed.set_index("failure_id").loc[seen["failure_id"]].reset_index(drop=True)
    rows["at"] = seen["attempted_at"].to_numpy()
    rows["attempt_number"] += seen["place"].to_numpy() + 1
    rows["status"] = np.where(seen["succeeded"], "succeeded", "failed")
    new = (seen["strategy"] == STRATEGIES[_ASK]).to_numpy()
    rows.loc[new, "payment_method_id"] = rows.loc[new, "payment_method_id"].str[:-1] + "c"
    return rows
