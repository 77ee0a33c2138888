"""Score a chunk of a file, all of it logged. Event: events/score_batch.json."""

from countersign.entry import entrypoint
from countersign.steps import score_batch

handler = entrypoint(score_batch.Request, score_batch.run)
