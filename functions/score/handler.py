"""Answer scoring requests. Event: events/score.json."""

from countersign.entry import api
from countersign.steps import score

handler = api(score.ROUTES)
