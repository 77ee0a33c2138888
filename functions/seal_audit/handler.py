"""Seal the heads of the audit chains. Event: events/seal_audit.json."""

from countersign.entry import entrypoint
from countersign.steps import seal_audit

handler = entrypoint(seal_audit.Request, seal_audit.run)
