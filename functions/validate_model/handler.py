"""Check that a version can serve. Event: events/validate_model.json."""

from countersign.entry import entrypoint
from countersign.steps import validate_model

handler = entrypoint(validate_model.Request, validate_model.run)
