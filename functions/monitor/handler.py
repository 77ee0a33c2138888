"""Watch drift, freshness, volume and performance. Event: events/monitor.json."""

from countersign.entry import entrypoint
from countersign.steps import monitor

handler = entrypoint(monitor.Request, monitor.run)
