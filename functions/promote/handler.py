"""Move the pointer, one step at a time. Event: events/promote.json."""

from countersign.entry import entrypoint
from countersign.steps import promote

handler = entrypoint(promote.Request, promote.run)
