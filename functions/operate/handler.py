"""The operations API. Event: events/operate.json."""

from countersign.entry import api
from countersign.steps import operate

handler = api(operate.ROUTES)
