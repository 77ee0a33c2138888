"""Score a chunk of a file through the same code as a request. Event: events/score_batch.json."""

from countersign.entry import entrypoint
from countersign.steps import score

handler = entrypoint(*score.BATCH)
