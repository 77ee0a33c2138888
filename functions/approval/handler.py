"""Open, decide, expire and conclude approvals. Event: events/approval.json."""

from countersign.entry import entrypoint
from countersign.steps import approval

handler = entrypoint(approval.Request, approval.run)
