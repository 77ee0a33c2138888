"""Train a candidate. Event: events/train.json."""

from countersign.entry import entrypoint
from countersign.steps import train

handler = entrypoint(train.Request, train.run)
