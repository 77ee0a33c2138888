"""Put new predictions on the queues. Event: events/forward_predictions.json."""

from countersign.entry import stream
from countersign.steps import forward_predictions

handler = stream(forward_predictions.run)
