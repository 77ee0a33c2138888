"""What a notice looks like to the person who gets it."""

from __future__ import annotations

from countersign.aws.notices import subject_line, text

from tests.unit.monitoring.cloud import Duty


def test_a_subject_is_one_short_line_of_plain_letters() -> None:
    line = subject_line("Drift in\nrémunération " + "x" * 200)
    assert len(line) == 100
    assert line.isascii()
    assert "\n" not in line


def test_a_body_says_what_the_numbers_are_and_what_to_do() -> None:
    body = text(
        "Pay drifted.",
        {
            "n": 300,
            "share": 0.123456,
            "drifted": ["gross"],
            "found": {"gross": {"PSI": 0.31}},
            "x": None,
        },
        to_do="Look.",
        runbook="docs/runbooks/drift.md",
    )
    assert body == (
        "Pay drifted.\n\nn: 300\nshare: 0.1235\ndrifted:\n  gross\nfound:\n  gross:\n    PSI: 0.31\n"
        "x: unknown\n\nWhat to do: Look.\nRunbook: docs/runbooks/drift.md\n"
    )


def test_a_notice_carries_what_a_subscription_filters_by(duty: Duty) -> None:
    duty.stores.notices.publish("Hello", severity="low", what="Nothing.", kind="greeting")
    (notice,) = duty.notices()
    labels = {name: value["Value"] for name, value in notice["MessageAttributes"].items()}
    assert labels == {"severity": "low", "environment": "local", "kind": "greeting"}
    assert notice["Subject"] == "[low] Hello"
