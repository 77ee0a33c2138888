"""Archive predictions to the lake. Event: events/archive_predictions.json."""

from countersign.entry import stream
from countersign.steps import archive_predictions

handler = stream(archive_predictions.run)
