"""The registry's side of training. Event: events/register.json."""

from countersign.entry import entrypoint
from countersign.steps import register

handler = entrypoint(register.Request, register.run)
