"""Hold a delivered file against its contract. Event: events/ingest.json."""

from countersign.entry import entrypoint
from countersign.steps import ingest

handler = entrypoint(ingest.Request, ingest.run)
