"""The block that a data-quality alert raises over a use case, until a person lifts it.

Pure: the block that stood and what was found or said, in; the block that stands, out. A block is one plain
mapping, kept under the use case:

    status        raised | lifted
    raised_at     when it was raised; `day`: the day of the newest finding
    alerts        [{view, feature, check, text, day, cleared_at}]: `cleared_at` once a later log was without it
    cleared_at    when the last of the alerts was cleared: safe to acknowledge. It lifts nothing by itself
    acknowledged_by, acknowledged_at, reason     the person who lifted it
    accepted      what was acknowledged and has been found ever since: {view, feature, check, day}
    judged        the as-of of the newest log by view: an older one says nothing new
    revision      one more with every change
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from countersign.errors import ConflictError, FieldError, QualityBlockError

RAISED, LIFTED = "raised", "lifted"
Block = Mapping[str, Any]
_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a quality log questions. `check` has no number in it; `text` says how bad it is."""

    view: str
    feature: str
    check: str
    text: str


def after_log(
    block: Block | None,
    findings: Sequence[Finding],
    *,
    views: Collection[str],
    as_of: str,
    at: str,
) -> dict[str, Any] | None:
    """The block after a quality log of `views` as of `as_of`, taken note of at `at`.

    A finding raises the block, unless it was acknowledged on the same day and has been found since. A
    raised block stays raised whatever the log says. None when there is no block and nothing was found.
    """
    before: Block = block or {"status": LIFTED, "revision": 0}
    judged = dict(before.get("judged") or {})
    heard = {view for view in views if as_of >= judged.get(view, "")}
    found = {_key(asdict(f)): f for f in findings if f.view in heard}
    day = as_of[:10]
    accepted = [
        entry
        for entry in before.get("accepted") or []
        if entry["view"] not in heard or (entry["day"] == day and _key(entry) in found)
    ]
    excused = {_key(entry) for entry in accepted}
    news = {key: finding for key, finding in found.items() if key not in excused}
    if block is None and not news:
        return None
    after = {**before, "accepted": accepted, "judged": {**judged, **dict.fromkeys(heard, as_of)}}
    if is_raised(before):
        after |= _kept(before, news, heard, day=day, at=at)
    elif news:
        after |= _raised(news, day=day, at=at)
    return after if after == before else {**after, "revision": int(before["revision"]) + 1}


def acknowledged(block: Block, *, person: str, reason: str, at: str) -> dict[str, Any]:
    """The block lifted by a person, who accepts what was found.

    Raises ConflictError when it is not raised.
    """
    if not is_raised(block):
        raise ConflictError("Nothing blocks this use case; there is nothing to acknowledge")
    accepted = [
        {name: alert[name] for name in ("view", "feature", "check", "day")}
        for alert in block.get("alerts") or []
        if not alert["cleared_at"]
    ]
    return {
        **block,
        "status": LIFTED,
        "acknowledged_by": person,
        "acknowledged_at": at,
        "reason": reason,
        "accepted": [*(block.get("accepted") or []), *accepted],
        "revision": int(block["revision"]) + 1,
    }


def is_raised(block: Block | None) -> bool:
    """Whether it blocks: any block that does not say that it was lifted."""
    return block is not None and block.get("status") != LIFTED


def refuse(use_case: str, block: Block) -> None:
    """Raise QualityBlockError, naming view, feature and check, and no value, when the block is raised."""
    if not is_raised(block):
        return
    alerts = block.get("alerts") or []
    wrong = [
        FieldError(f"{alert['view']}.{alert['feature']}", f"to pass the check {alert['check']}")
        for alert in alerts
    ]
    named = "; ".join(
        f"{error.field}: {alert['check']}" for error, alert in zip(wrong, alerts, strict=True)
    )
    raise QualityBlockError(
        f"{use_case} is not scored while its data are questioned ({named or 'no finding named'}); "
        "an operator lifts the block",
        errors=wrong,
    )


def _raised(news: Mapping[_Key, Finding], *, day: str, at: str) -> dict[str, Any]:
    return {
        "status": RAISED,
        "raised_at": at,
        "day": day,
        "alerts": [_alert(finding, day) for finding in news.values()],
        "cleared_at": None,
        "acknowledged_by": None,
        "acknowledged_at": None,
        "reason": None,
    }


def _kept(
    before: Block, news: Mapping[_Key, Finding], heard: Collection[str], *, day: str, at: str
) -> dict[str, Any]:
    """A raised block after another log: what is found still, what is no more, what is new."""
    alerts = []
    for alert in before.get("alerts") or []:
        finding = news.get(_key(alert))
        if finding is not None:
            alerts.append(_alert(finding, day))
        elif alert["view"] in heard:
            alerts.append({**alert, "cleared_at": alert["cleared_at"] or at})
        else:
            alerts.append(dict(alert))
    known = {_key(alert) for alert in alerts}
    alerts += [_alert(finding, day) for key, finding in news.items() if key not in known]
    cleared = [alert["cleared_at"] for alert in alerts]
    return {
        "day": day if news else before["day"],
        "alerts": alerts,
        "cleared_at": max(cleared) if cleared and all(cleared) else None,
    }


def _alert(finding: Finding, day: str) -> dict[str, Any]:
    return {**asdict(finding), "day": day, "cleared_at": None}


def _key(named: Mapping[str, Any]) -> _Key:
    return named["view"], named["feature"], named["check"]
