"""`list`, `show`, `get` and `history`, as a person and as a program reads them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from countersign import use_cases
from countersign.features.definition import catalogue_rows

from .deployed import Deployed

Capture = pytest.CaptureFixture[str]
MEAN = "worker_gross_pay_6m_mean"


def test_every_feature_on_record_is_listed(paid: Deployed, capsys: Capture) -> None:
    told = paid.run(capsys, "list", "--output", "json")
    declared = {(r["view"], r["feature_name"]) for r in catalogue_rows(use_cases.registered())}
    assert {(r["view"], r["feature_name"]) for r in told.document["features"]} == declared
    assert (told.code, told.err) == (0, "")


def test_a_list_is_narrowed_by_view_model_and_critical(paid: Deployed, capsys: Capture) -> None:
    of_view = paid.run(capsys, "list", "--view", "worker_pay", "--output", "json").document
    assert {r["view"] for r in of_view["features"]} == {"worker_pay"}
    of_model = paid.run(capsys, "list", "--model", "payroll_anomaly", "--output", "json").document
    assert all("payroll_anomaly" in r["models"] for r in of_model["features"])
    critical = paid.run(capsys, "list", "--critical", "--output", "json").document["features"]
    assert critical
    assert all(r["critical"] for r in critical)


def test_a_declared_list_needs_no_cloud(
    paid: Deployed, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = len(paid.asked)
    told = paid.run(capsys, "list", "--local", "--view", "worker_pay")
    assert MEAN in told.out
    assert len(paid.asked) == asked


@pytest.mark.parametrize("width", [80, 160])
def test_tables_keep_to_the_terminal(paid: Deployed, capsys: Capture, width: int) -> None:
    for command in (["list"], ["show", "worker_pay"], ["show", MEAN], ["get", "worker_pay", "W-1"]):
        told = paid.run(capsys, *command, width=width)
        assert told.code == 0
        assert max(len(line) for line in told.out.splitlines()) <= width


def test_a_feature_shows_everything_that_is_known_of_it(paid: Deployed, capsys: Capture) -> None:
    (shown,) = paid.run(capsys, "show", MEAN, "--output", "json").document["features"]
    assert shown["computation_logic"] == "mean(gross_pay_minor) of payslips over 6 calendar months"
    assert (shown["boundary"], shown["nulls"], shown["valid"]) == ("exclusive", "keep", [0, 1e13])
    assert "payroll_anomaly" in shown["models"]
    assert "facts of payslips" in shown["point_in_time"]
    assert shown["statistics"]["mean"] == pytest.approx(290_000)
    assert "1 entities, 0.00% null" in paid.run(capsys, "show", MEAN).out


def test_an_unknown_name_is_refused_in_one_line(paid: Deployed, capsys: Capture) -> None:
    told = paid.run(capsys, "show", "nothing")
    assert told.code == 1
    assert told.err.splitlines() == [told.err.strip()]
    assert "No feature or view 'nothing'" in told.err
    assert paid.run(capsys, "get", "nothing", "W-1").code == 2


def test_online_values_come_with_their_clocks_and_their_age(
    paid: Deployed, capsys: Capture
) -> None:
    told = paid.run(capsys, "get", "worker_pay", "W-1", "--output", "json").document
    assert told["features"][MEAN] == pytest.approx(290_000)
    assert told["event_time"] < told["known_at"] < told["written_at"]
    mean = told["freshness"][MEAN]
    assert (mean["verdict"], mean["critical"], mean["sla_seconds"]) == ("fresh", True, 45 * 86_400)
    assert mean["age_seconds"] == pytest.approx(22 * 86_400, abs=86_400)


def test_as_of_a_moment_the_values_are_those_known_then(paid: Deployed, capsys: Capture) -> None:
    """The September payslip of 3100.00 was corrected to 2500.00, which was known on 5 November."""
    before, after = (
        paid.run(capsys, "get", "worker_pay", "W-1", "--at", at, "--output", "json").document
        for at in ("2026-11-04T12:00:00Z", "2026-11-06T12:00:00Z")
    )
    assert before["features"][MEAN] == pytest.approx(310_000)
    assert after["features"][MEAN] == pytest.approx(290_000)
    assert after["features"] != before["features"]


def test_online_now_is_offline_as_of_now(paid: Deployed, capsys: Capture) -> None:
    online = paid.run(capsys, "get", "worker_pay", "W-1", "--output", "json").document
    offline = paid.run(
        capsys, "get", "worker_pay", "W-1", "--at", online["as_of"], "--output", "json"
    ).document
    assert offline["features"] == pytest.approx(online["features"], nan_ok=True)
    assert {n: f["verdict"] for n, f in offline["freshness"].items()} == {
        n: f["verdict"] for n, f in online["freshness"].items()
    }


def test_a_stale_critical_feature_is_told_and_can_fail_a_script(
    paid: Deployed, capsys: Capture
) -> None:
    asked = ("get", "worker_pay", "W-1", "--fail-when-stale")
    assert paid.run(capsys, *asked).code == 0
    clock = paid.store.aws.clock
    before = clock.at
    clock.at = before + timedelta(days=60)
    try:
        told = paid.run(capsys, *asked)
    finally:
        clock.at = before
    assert told.code == 1
    assert "stale" in told.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("get", "worker_pay", "W-9"), 1),
        (("get", "worker_pay", "W-1", "--at", "2020-01-01"), 1),
        (("get", "worker_pay", "W-1", "--at", "yesterday"), 2),
        (("get", "worker_pay", "W-1", "--at", "2999-01-01"), 2),
        (("history", "worker_pay", "W-9"), 1),
        (("history", "worker_pay", "W-1", "--feature", "nothing"), 2),
        (("list", "--identity", "nobody"), 1),
        (("list", "--identity", "scoring-client"), 1),
        (("list", "--output", "xml"), 2),
    ],
)
def test_what_cannot_be_answered_is_one_reason_and_a_code(
    paid: Deployed, capsys: Capture, arguments: tuple[str, ...], code: int
) -> None:
    told = paid.run(capsys, *arguments)
    assert (told.code, told.out) == (code, "")
    assert "Traceback" not in told.err
    assert code == 2 or len(told.err.splitlines()) == 1


def test_history_says_what_was_known_when(paid: Deployed, capsys: Capture) -> None:
    rows = paid.run(
        capsys, "history", "worker_pay", "W-1", "--feature", MEAN, "--output", "json"
    ).document["rows"]
    clocks = [(r["event_time"], r["known_at"]) for r in rows]
    assert clocks == sorted(clocks)
    restated = [r for r in rows if r["status"] == "restated"]
    assert restated
    assert {r["known_at"][:10] for r in restated} == {"2026-11-05"}
    for row in restated:
        (was,) = (
            r for r in rows if r["event_time"] == row["event_time"] and r["status"] == "first"
        )
        assert was["values"][MEAN] > row["values"][MEAN]


def test_history_is_cut_by_event_time_and_drawn(paid: Deployed, capsys: Capture) -> None:
    told = paid.run(
        capsys, "history", "worker_pay", "W-1", "--feature", MEAN,
        "--since", "2026-09-01", "--until", "2026-11-01",
    )  # fmt: skip
    assert "restated" in told.out
    assert "█" in told.out
    assert "2026-08" not in told.out
