"""Hold or pass a trained candidate. Event: events/evaluate.json."""

from countersign.entry import entrypoint
from countersign.steps import evaluate

handler = entrypoint(evaluate.Request, evaluate.run)
