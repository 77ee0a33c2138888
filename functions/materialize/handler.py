"""Bring the online store up to the offline one. Event: events/materialize.json."""

from countersign.entry import entrypoint
from countersign.steps import materialize

handler = entrypoint(materialize.Request, materialize.run)
