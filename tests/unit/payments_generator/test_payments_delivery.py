"""What the payment platform hands over: the same bytes for the same seed, honest clocks, plausible shares."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from countersign import use_cases
from countersign.cli.payments_generator import Delivery, generate
from countersign.cli.payroll_generator.command import app
from countersign.features import contract, duck, reading
from countersign.features.catalogue import sources_of
from countersign.steps import ingest
from typer.testing import CliRunner

from tests.unit.features.cloud import NOW, Cloud, cloud

AS_OF = datetime(2026, 11, 21, 5, 47, tzinfo=UTC)
SOURCES = sources_of(use_cases.get(name) for name in ("fraud", "churn", "retry", "recovery"))


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Delivery]:
    out = tmp_path_factory.mktemp("payments")
    return out, generate(out, seed=5, as_of=AS_OF, customers=1500, merchants=60, months=12)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with cloud() as made:
        yield made


def table(delivered: tuple[Path, Delivery], source: str) -> pd.DataFrame:
    """All rows of a source, as the contract types them."""
    out, made = delivered
    with duck.connect(out) as connection:
        parts = []
        for file in made.files:
            if file.source == source:
                reading.read_raw(connection, out / file.key, file.format)
                names = tuple(c.name for c in SOURCES[source].columns)
                contract.check_rows(connection, SOURCES[source], names, [], now=NOW)
                rows = (out / file.key).with_suffix(".checked")
                chosen = "SELECT * EXCLUDE (_wrong) FROM checked_rows"
                connection.execute(f"COPY ({chosen}) TO {duck.quote(str(rows))} (FORMAT parquet)")
                parts.append(pd.read_parquet(rows))
    return pd.concat(parts, ignore_index=True)


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    digests = []
    for seed, name in ((3, "one"), (3, "two"), (4, "other")):
        made = generate(
            tmp_path / name, seed=seed, as_of=AS_OF, customers=60, merchants=6, months=4
        )
        digests.append([file.sha256 for file in made.files])
    assert digests[0] == digests[1]
    assert not set(digests[0]) & set(digests[2])


def test_every_row_of_every_source_keeps_its_contract(delivered: tuple[Path, Delivery]) -> None:
    out, made = delivered
    assert {file.source for file in made.files} == set(SOURCES)
    with duck.connect(out) as connection:
        for file in made.files:
            source = SOURCES[file.source]
            names, unreadable = reading.read_raw(connection, out / file.key, file.format)
            contract.check_schema(source, names)
            verdict = contract.check_rows(connection, source, names, unreadable, now=AS_OF)
            assert not verdict.findings, file.key
            assert (verdict.bad_rows, verdict.duplicates) == (0, 0), file.key
            assert verdict.synthetic, file.key
            assert verdict.rows == file.rows


def test_a_delivery_passes_ingestion_whole(aws: Cloud, tmp_path: Path) -> None:
    made = generate(
        tmp_path, seed=9, as_of=AS_OF, customers=60, merchants=6, months=4, batch_months=6
    )
    for file in made.files:
        aws.stores.raw.put(file.key, (tmp_path / file.key).read_bytes())
        result = ingest.run(ingest.Request(key=file.key), aws.stores)
        assert isinstance(result, ingest.Result)
        assert (result.status, result.rows, result.bad_rows) == ("accepted", file.rows, 0), file.key


def test_the_marker_says_what_it_closes_and_that_it_is_synthetic(
    delivered: tuple[Path, Delivery],
) -> None:
    _, made = delivered
    marker = json.loads(made.marker.read_text())
    assert marker["synthetic"] is True
    assert marker["generator"] == {"seed": 5, "customers": 1500, "merchants": 60, "months": 12}
    assert len(marker["files"]) == len(made.files)


def test_shares_are_those_of_a_payment_platform(delivered: tuple[Path, Delivery]) -> None:
    _, made = delivered
    assert 8_000 < made.rows["payments"] < 30_000
    assert 0.004 < made.facts["chargebacks_per_payment"] < 0.025
    assert 0.015 < made.facts["cancellations_per_review"] < 0.06
    assert 0.3 < made.facts["recoveries_per_case"] < 0.75


def test_guests_have_a_customer_id_and_no_account(delivered: tuple[Path, Delivery]) -> None:
    paid = table(delivered, "payments")
    guests = paid["is_guest_checkout"]
    assert 0.05 < guests.mean() < 0.4
    assert (paid["customer_id"].str.startswith("guest:") == guests).all()
    accounts = set(table(delivered, "customers")["customer_id"])
    assert set(paid["customer_id"][~guests]) <= accounts
    assert (
        paid.loc[~paid["payment_method_type"].isin(["card", "wallet"]), "card_brand"].isna().all()
    )


def test_chargebacks_are_of_payments_that_succeeded_and_known_weeks_later(
    delivered: tuple[Path, Delivery],
) -> None:
    paid = table(delivered, "payments").set_index("payment_id")
    back = table(delivered, "chargebacks")
    assert (paid.loc[back["payment_id"], "status"] == "succeeded").all()
    assert (
        paid.loc[back["payment_id"], "created_at"].to_numpy() == back["paid_at"].to_numpy()
    ).all()
    days = (back["known_at"] - back["paid_at"]).dt.days
    assert 5 < days.median() < 25
    assert (days <= 60).mean() > 0.95  # the label's maturity


def test_fraud_can_be_told_and_not_by_one_look(delivered: tuple[Path, Delivery]) -> None:
    """A large amount of a guest is more often fraud, and mostly it is not."""
    paid = table(delivered, "payments")
    fraud = paid["payment_id"].isin(table(delivered, "chargebacks")["payment_id"])
    typical = paid.groupby("merchant_id")["amount_cents"].transform("median")
    odd = paid["is_guest_checkout"] & (paid["amount_cents"] > 2 * typical)
    assert fraud[odd].mean() > 4 * fraud.mean()
    assert fraud[odd].mean() < 0.5
    assert 0.1 < odd[fraud].mean() < 0.9


def test_who_uses_little_leaves_more_often(delivered: tuple[Path, Delivery]) -> None:
    reviews, left = table(delivered, "account_reviews"), table(delivered, "cancellations")
    last = left.groupby("customer_id")["cancelled_at"].max()
    until = (reviews["customer_id"].map(last) - reviews["reviewed_at"]).dt.days
    churns = until.between(0, 60)
    idle, busy = reviews["active_days_30d"] <= 6, reviews["active_days_30d"] >= 20
    assert churns[idle].mean() > 2 * churns[busy].mean()
    assert churns[idle].mean() < 0.6


def test_what_works_depends_on_why_it_failed(delivered: tuple[Path, Delivery]) -> None:
    failures, outcomes = table(delivered, "payment_failures"), table(delivered, "retry_outcomes")
    both = failures.merge(outcomes, on="failure_id")
    share = pd.crosstab(both["failure_code"], both["strategy"], normalize="index")
    assert share.loc["card_expired", "ask_for_new_method"] > 0.8
    assert share.loc["processing_error", "retry_now"] > 0.5
    assert share.loc["insufficient_funds"].max() < 0.6
    assert np.isclose(share.sum(axis=1), 1).all()


def test_the_command_writes_a_delivery(tmp_path: Path) -> None:
    asked = ["payments", "--out", str(tmp_path), "--as-of", "2026-11-21T06:00:00Z"]
    result = CliRunner().invoke(
        app, [*asked, "--customers", "40", "--merchants", "5", "--months", "3"]
    )
    assert result.exit_code == 0, result.output
    assert "payments" in result.output
    assert list((tmp_path / "raw" / "_COMPLETE").glob("*.json"))


def test_a_naive_instant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="timezone"):
        generate(tmp_path, seed=1, as_of=datetime(2026, 11, 21), customers=40)  # noqa: DTZ001
