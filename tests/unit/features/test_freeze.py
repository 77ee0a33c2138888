"""Training sets: what is in them, what is refused, and that they can be made again."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from countersign.errors import (
    DataError,
    LeakageError,
    NotFoundError,
    SyntheticDataError,
    TooFewRowsError,
)
from countersign.features import asof, dataset, duck, leakage, request_time
from countersign.features.pointintime import check_spine
from countersign.features.spine import create_spine
from countersign.steps import freeze_dataset

from tests.unit.use_cases.payroll import USE_CASE, Facts, Row, error, slip

from .cloud import Cloud
from .store import Store

AS_OF = "2026-11-21T05:47:00.000000Z"
VIEWS = [view.name for view in USE_CASE.views]


def months(count: int) -> list[str]:
    """The last days of `count` months up to September 2026."""
    days = []
    for back in range(count):
        year, month = divmod(2026 * 12 + 9 - back, 12)  # the month after
        days.append((date(year, month + 1, 1) - timedelta(days=1)).isoformat())
    return sorted(days)


def payroll(workers: int = 26, **changes: Any) -> list[Row]:
    """Twenty months of payslips; pay differs a little between workers and months."""
    return [
        slip(
            1000 * worker + n, day, 300_000 + 997 * worker + 13 * n * worker,
            worker_id=f"W-{worker}", **changes,
        )
        for worker in range(workers)
        for n, day in enumerate(months(20))
    ]  # fmt: skip


def errors(rows: list[Row]) -> list[Row]:
    """Every thirty-first payslip was wrong, and that was confirmed nine days later."""
    found = []
    for n, row in enumerate(rows[::31]):
        day = date.fromisoformat(row["pay_date"])
        found.append(
            error(n, 0, day.isoformat(), (day + timedelta(days=9)).isoformat())
            | {"payslip_id": row["payslip_id"], "worker_id": row["worker_id"]}
        )
    return found


def prepared(aws: Cloud, rows: list[Row], labels: list[Row] | None = None) -> Store:
    store = Store(aws)
    store.deliver("payslips", rows)
    store.deliver("payroll_errors", errors(rows) if labels is None else labels)
    for view in VIEWS:
        store.build(view)
    return store


def freeze(store: Store, **changes: Any) -> freeze_dataset.Result:
    request = {"use_case": "payroll_anomaly", "run_id": "run-1", "as_of": AS_OF, **changes}
    frozen = freeze_dataset.run(freeze_dataset.Request(**request), store.stores)
    assert isinstance(frozen, freeze_dataset.Result)
    return frozen


def manifest(store: Store, result: freeze_dataset.Result) -> dict[str, Any]:
    found: dict[str, Any] = store.stores.lake.read_json(
        f"datasets/{result.dataset_id}/manifest.json"
    )
    return found


def test_a_dataset_is_split_by_time_and_accounted_for(aws: Cloud, tmp_path: Any) -> None:
    store = prepared(aws, payroll())
    result = freeze(store)
    assert result.rows == 520
    assert result.train_rows + result.valid_rows + result.test_rows == 520
    assert result.positives == 17
    found = manifest(store, result)
    assert found["features"] == list(USE_CASE.inputs)
    assert found["synthetic"] is False
    assert all(view["violations"] == 0 for view in found["leakage_audit"]["views"].values())
    keys = [f"datasets/{result.dataset_id}/{name}.parquet" for name in dataset.SPLITS]
    files = store.stores.lake.download(keys, tmp_path)
    with duck.connect() as connection:
        spans = [
            connection.execute(
                f"SELECT min(epoch_us(as_of)), max(epoch_us(as_of)) FROM {duck.parquet([file])}"
            ).fetchone()
            for file in files
        ]
        columns = [
            row[0] for row in connection.execute(f"DESCRIBE FROM {duck.parquet(files)}").fetchall()
        ]
        types = dict(
            row[:2] for row in connection.execute(f"DESCRIBE FROM {duck.parquet(files)}").fetchall()
        )
    assert spans[0][1] < spans[1][0] <= spans[1][1] < spans[2][0]
    assert columns[:7] == [
        "payslip_id",
        "worker_id",
        "client_id",
        "country",
        "contract_type",
        "as_of",
        "label",
    ]
    assert columns[7 : 7 + len(USE_CASE.inputs)] == list(USE_CASE.inputs)
    assert {types[name] for name in USE_CASE.inputs} == {"DOUBLE"}


def test_the_same_facts_make_the_same_dataset(aws: Cloud) -> None:
    store = prepared(aws, payroll())
    first = freeze(store)
    store.aws.clock.at += timedelta(days=3)
    assert freeze(store, run_id="run-2") == first


def test_the_manifest_names_every_source_file_that_was_known_by_then(aws: Cloud) -> None:
    rows = payroll()
    store = prepared(aws, rows)
    lake = store.stores.lake
    known = {key for key in lake.keys("sources/") if key.endswith(".parquet")}
    later = rows[40] | {"gross_pay_minor": 1, "revision": 1, "known_at": "2026-11-22T00:00:00Z"}
    store.aws.clock.at += timedelta(days=3)
    store.deliver("payslips", [later])
    inputs = manifest(store, freeze(store))["inputs"]
    files = {key: found for source in inputs.values() for key, found in source["files"].items()}
    assert set(files) == known
    for key, found in files.items():
        content = lake.get(key)
        digest = hashlib.sha256(content).hexdigest()
        assert found == {"sha256": digest, "bytes": len(content)}


def test_a_correction_known_later_changes_nothing_of_the_frozen_moment(aws: Cloud) -> None:
    rows = payroll()
    store = prepared(aws, rows)
    first = freeze(store)
    store.aws.clock.at += timedelta(days=3)
    corrected = rows[40] | {"gross_pay_minor": 1, "revision": 1, "known_at": "2026-11-22T00:00:00Z"}
    store.deliver("payslips", [corrected])
    for view in VIEWS:
        store.build(view)
    assert freeze(store) == first


def test_training_rows_are_the_vectors_that_scoring_makes(aws: Cloud, tmp_path: Any) -> None:
    """One code path: a payslip's training row equals what a request at its moment is given."""
    rows = payroll()
    store = prepared(aws, rows)
    result = freeze(store)
    keys = [f"datasets/{result.dataset_id}/{name}.parquet" for name in dataset.SPLITS]
    files = store.stores.lake.download(keys, tmp_path)
    for row in (rows[19], rows[250], rows[519]):
        moment = datetime.fromisoformat(row["pay_date"]).replace(tzinfo=UTC)
        usual: dict[str, float | None] = {}
        ids = {"worker": row["worker_id"], "client": "C-1", "country": "DE"}
        for view in USE_CASE.views:
            if store.parts(view.name):
                usual |= store.offline(ids[view.entity.name], moment, view.name)
        made = {**usual, **request_time.compute(USE_CASE, row, usual)}
        columns = ", ".join(f'"{name}"' for name in USE_CASE.inputs)
        with duck.connect() as connection:
            frozen = connection.execute(
                f"SELECT {columns} FROM {duck.parquet(files)} WHERE payslip_id = ?",
                [row["payslip_id"]],
            ).fetchone()
        assert list(frozen) == [made.get(name) for name in USE_CASE.inputs]


def test_synthetic_rows_teach_only_locally(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    store = prepared(aws, payroll(_synthetic=True))
    assert manifest(store, freeze(store))["synthetic"] is True
    object.__setattr__(store.stores.settings, "environment", "staging")
    with pytest.raises(SyntheticDataError):
        freeze(store)


def test_too_few_rows_or_positives_are_refused(aws: Cloud) -> None:
    with pytest.raises(TooFewRowsError, match="0 labelled rows"):
        freeze(Store(aws))
    rows = payroll()
    with pytest.raises(TooFewRowsError, match="520 labelled rows with 0 positives"):
        freeze(
            prepared(aws, rows, errors(rows)[:0] or [error(1, 999_999, "2026-01-31", "2026-02-20")])
        )


def test_payslips_delivered_again_under_new_ids_are_refused(aws: Cloud) -> None:
    rows = payroll()
    again = [{**row, "payslip_id": f"again-{row['payslip_id']}"} for row in rows[:50]]
    with pytest.raises(DataError, match="50 of 570 rows of payslips repeat"):
        freeze(prepared(aws, [*rows, *again]))


def test_an_as_of_time_in_the_future_is_refused(aws: Cloud) -> None:
    with pytest.raises(DataError, match="future"):
        freeze(Store(aws), as_of="2027-01-01T00:00:00Z")


def test_an_unknown_use_case_is_not_found(aws: Cloud) -> None:
    with pytest.raises(NotFoundError):
        freeze(Store(aws), use_case="horoscope")


@pytest.fixture
def facts(tmp_path: Any) -> Facts:
    return Facts(tmp_path)


def spine_of(facts: Facts, as_of: datetime) -> dict[str, bool]:
    create_spine(facts.connection, USE_CASE, as_of)
    found = facts.connection.execute("SELECT payslip_id, label FROM spine").fetchall()
    return dict(found)


def test_a_payslip_is_labelled_once_its_error_had_time_to_be_found(facts: Facts) -> None:
    facts.deliver("payslips", [slip(1, "2026-06-30", 1), slip(2, "2026-09-30", 1)])
    assert spine_of(facts, datetime(2026, 8, 13, tzinfo=UTC)) == {}
    assert spine_of(facts, datetime(2026, 8, 14, tzinfo=UTC)) == {"P-1": False}  # 45 days


def test_an_error_confirmed_after_the_as_of_time_is_no_label(facts: Facts) -> None:
    facts.deliver("payslips", [slip(1, "2026-06-30", 1)])
    facts.deliver("payroll_errors", [error(1, 1, "2026-06-30", "2026-09-01")])
    assert spine_of(facts, datetime(2026, 8, 31, tzinfo=UTC)) == {"P-1": False}
    assert spine_of(facts, datetime(2026, 9, 1, tzinfo=UTC)) == {"P-1": True}


def test_a_withdrawn_error_is_no_label(facts: Facts) -> None:
    facts.deliver("payslips", [slip(1, "2026-06-30", 1)])
    withdrawn = error(1, 1, "2026-06-30", "2026-09-20") | {"_deleted": True}
    facts.deliver("payroll_errors", [error(1, 1, "2026-06-30", "2026-09-01"), withdrawn])
    assert spine_of(facts, datetime(2026, 9, 10, tzinfo=UTC)) == {"P-1": True}
    assert spine_of(facts, datetime(2026, 9, 21, tzinfo=UTC)) == {"P-1": False}


def test_the_spine_holds_the_payslip_as_it_was_first_known(facts: Facts) -> None:
    corrected = slip(1, "2026-06-30", 100, revision=1, known_at="2026-07-20T00:00:00Z")
    facts.deliver("payslips", [corrected, slip(1, "2026-06-30", 10_000)])
    spine_of(facts, datetime(2026, 9, 1, tzinfo=UTC))
    assert facts.connection.execute("SELECT gross_pay_minor FROM spine").fetchall() == [(10_000,)]


def test_a_label_from_the_future_is_refused(facts: Facts) -> None:
    facts.deliver("payslips", [slip(1, "2026-06-30", 1)])
    facts.deliver("payroll_errors", [error(1, 1, "2026-10-01", "2026-07-01")])
    with pytest.raises(DataError, match="1 labels"):
        spine_of(facts, datetime(2026, 9, 1, tzinfo=UTC))


def test_the_audit_finds_a_value_from_the_future() -> None:
    with duck.connect() as connection:
        columns = ", ".join(
            f"as_of AS {view}__event_time, as_of + INTERVAL 1 MICROSECOND AS {view}__known_at"
            for view in VIEWS
        )
        connection.execute(
            f"CREATE TABLE joined AS SELECT *, {columns} FROM (SELECT TIMESTAMPTZ '2026-01-01' AS as_of)"
        )
        with pytest.raises(LeakageError, match="worker_pay"):
            leakage.audit(connection, USE_CASE, "joined")


def test_an_input_that_tells_the_label_is_suspicious() -> None:
    with duck.connect() as connection:
        connection.execute(
            "CREATE TABLE d AS SELECT n AS _n, n % 10 = 0 AS label, (n % 10 = 0)::DOUBLE AS told, "
            "hash(n)::DOUBLE AS noise, -(n % 10 = 0)::DOUBLE AS told_backwards FROM range(1000) t(n)"
        )
        found = leakage.judge_columns(connection, ("told", "noise", "told_backwards"), "d")
    assert found["suspicious"] == ["told", "told_backwards"]
    assert found["separation"]["noise"] < 0.6


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("'w', NULL::TIMESTAMPTZ", "1 rows of the spine have no 'as_of'"),
        ("NULL::VARCHAR, now()", "1 rows of the spine have no 'worker_id'"),
        ("1, now()", "is INTEGER; expected VARCHAR"),
        ("'w', now()::TIMESTAMP", "is TIMESTAMP; expected TIMESTAMP WITH TIME ZONE"),
    ],
)
def test_a_spine_that_cannot_be_placed_is_refused(row: str, told: str) -> None:
    with duck.connect() as connection:
        connection.execute(f"CREATE TABLE asked AS SELECT {row}")
        names = [r[0] for r in connection.execute("DESCRIBE asked").fetchall()]
        connection.execute(f'ALTER TABLE asked RENAME "{names[0]}" TO worker_id')
        connection.execute(f'ALTER TABLE asked RENAME "{names[1]}" TO as_of')
        with pytest.raises(DataError, match=told):
            check_spine(connection, "asked", ("worker_id",))


def test_spine_rows_stay_as_they_are_whatever_is_joined(facts: Facts) -> None:
    """Duplicates, order of no meaning, extra columns, rows with only future or expired facts."""
    from countersign.features.history import create_history

    facts.deliver("payslips", [slip(1, "2024-01-31", 100), slip(2, "2026-06-30", 300)])
    view = USE_CASE.views[0]
    at = datetime(2026, 11, 1, tzinfo=UTC)
    history = create_history(facts.connection, view, as_of=at, built_at=at)
    facts.connection.execute(
        "CREATE TEMP TABLE asked AS SELECT * FROM (VALUES "
        "(3, 'W-1', TIMESTAMPTZ '2026-07-01 12:00:00+02', 'kept'), "
        "(1, 'W-1', TIMESTAMPTZ '2026-07-01 10:00:00+00', 'kept too'), "
        "(2, 'W-1', TIMESTAMPTZ '2023-07-01 00:00:00+00', 'only future'), "
        "(4, 'W-1', TIMESTAMPTZ '2026-06-01 00:00:00+00', 'expired'), "
        "(5, 'W-2', TIMESTAMPTZ '2026-06-01 00:00:00+00', 'unknown')) t(n, worker_id, as_of, note)"
    )
    joined = asof.join_sql(facts.connection, "asked", [(view, history)])
    found = facts.connection.execute(
        f"SELECT n, note, worker_gross_pay_6m_mean FROM ({joined}) ORDER BY n"
    ).fetchall()
    assert found == [
        (1, "kept too", 300.0), (2, "only future", None), (3, "kept", 300.0), (4, "expired", None),
        (5, "unknown", None),
    ]  # fmt: skip


def test_duckdb_counts_in_utc_whatever_the_machine() -> None:
    with duck.connect() as connection:
        (zone,) = connection.execute("SELECT current_setting('TimeZone')").fetchone()
    assert zone == "UTC"
