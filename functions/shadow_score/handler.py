"""Score with the shadows, after the answer. Event: events/shadow_score.json."""

from countersign.entry import stream
from countersign.steps import shadow_score

handler = stream(shadow_score.run)
