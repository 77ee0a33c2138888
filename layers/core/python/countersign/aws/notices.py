"""Notices to people, by severity, through one SNS topic: email, chat and pager subscribe with a filter.

A notice says what happened, the numbers it rests on, what to do and where to read on. It names features
and counts, never a value of a payslip.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from countersign.aws.settings import Settings

Severity = Literal["critical", "high", "medium", "low"]
LONGEST_SUBJECT = 100


class Notices:
    """The notices topic."""

    def __init__(self, sns: Any, settings: Settings) -> None:
        self._sns = sns
        self._topic = settings.require("notices_topic_arn")
        self._environment = settings.environment

    def publish(
        self,
        subject: str,
        *,
        severity: Severity,
        what: str,
        facts: Mapping[str, Any] | None = None,
        to_do: str = "",
        runbook: str = "",
        use_case: str = "",
        kind: str = "notice",
    ) -> str:
        """Publish a notice; returns its message id.

        Parameters
        ----------
        subject : str
            One line; cut to the 100 ASCII characters that mail allows.
        severity : str
            critical (now), high (4 hours), medium (a day), low (when there is time).
        what : str
            What happened, in a sentence.
        facts : mapping, optional
            The numbers it rests on: counts, shares, names. A mapping or list inside gets a line per entry.
        to_do : str
            What the reader should do.
        runbook : str
            Path or URL of the page that says how.
        use_case, kind : str
            For subscription filters, beside severity and environment.
        """
        labels = {
            "severity": severity,
            "environment": self._environment,
            "kind": kind,
            "use_case": use_case,
        }
        attributes = {
            name: {"DataType": "String", "StringValue": value}
            for name, value in labels.items()
            if value
        }
        answer = self._sns.publish(
            TopicArn=self._topic,
            Subject=subject_line(f"[{severity}] {subject}"),
            Message=text(what, facts or {}, to_do=to_do, runbook=runbook),
            MessageAttributes=attributes,
        )
        return str(answer["MessageId"])


def subject_line(subject: str) -> str:
    """What SNS takes as a subject: printable ASCII, one line, at most 100 characters."""
    plain = " ".join(subject.split()).encode("ascii", errors="replace").decode()
    return plain if len(plain) <= LONGEST_SUBJECT else plain[: LONGEST_SUBJECT - 3] + "..."


def text(what: str, facts: Mapping[str, Any], *, to_do: str, runbook: str) -> str:
    """The body: what happened, the numbers, what to do."""
    lines = [what, "", *_lines(facts)]
    lines += ["", f"What to do: {to_do}"] if to_do else []
    lines += [f"Runbook: {runbook}"] if runbook else []
    return "\n".join(lines).strip() + "\n"


def _lines(facts: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, value in facts.items():
        if isinstance(value, Mapping):
            lines += [f"{name}:", *(f"  {line}" for line in _lines(value))]
        elif isinstance(value, list | tuple):
            lines += [f"{name}:" if value else f"{name}: none", *(f"  {_shown(v)}" for v in value)]
        else:
            lines.append(f"{name}: {_shown(value)}")
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(inner)}" for name, inner in value.items())
    if isinstance(value, float):
        return f"{value:.4g}"
    return "unknown" if value is None else str(value)
