"""Raise a notice once per finding, even when two firings race or one dies half way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from countersign.aws.stores import Stores
from countersign.aws.telemetry import emit
from countersign.clock import iso, parse_iso

STUCK_AFTER = timedelta(minutes=15)


def raise_once(
    stores: Stores,
    *,
    use_case: str,
    kind: str,
    key: str,
    actor: str = "monitoring",
    **notice: Any,
) -> bool:
    """Publish unless this finding was published before; True when it was published now.

    The claim is written first and marked when the notice is out. A claim that was never marked belongs to a
    worker that died: after a quarter of an hour the notice is published again rather than lost.
    """
    now = stores.clock.now()
    pk, sk = f"model#{use_case}", f"seen#notice#{kind}#{key}"
    claim: dict[str, Any] = {"at": iso(now), "published": False}
    if not stores.registry.put_once(pk, sk, claim):
        standing = stores.registry.get(pk, sk) or claim
        if standing["published"] or now - parse_iso(standing["at"]) < STUCK_AFTER:
            return False
    message_id = stores.notices.publish(use_case=use_case, kind=kind, **notice)
    stores.registry.put(pk, sk, {**claim, "published": True, "message_id": message_id})
    facts = {"kind": kind, "severity": notice["severity"], "subject": notice["subject"]}
    stores.audit.append(use_case, "notice-raised", actor, facts, once=f"notice#{kind}#{key}")
    emit({"use_case": use_case, "kind": kind}, {"NoticesRaised": 1.0})
    return True
