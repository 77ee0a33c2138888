"""Draw a report. Event: events/report.json."""

from countersign.entry import entrypoint
from countersign.steps import report

handler = entrypoint(report.Request, report.run)
