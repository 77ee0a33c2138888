"""Record what really happened. Event: events/record_outcome.json."""

from countersign.entry import api
from countersign.steps import record_outcome

handler = api(record_outcome.ROUTES)
