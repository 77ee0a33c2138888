"""Export, prove equal, sign. Event: events/export_model.json."""

from countersign.entry import entrypoint
from countersign.steps import export_model

handler = entrypoint(export_model.Request, export_model.run)
