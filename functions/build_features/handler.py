"""Plan, build or check feature views. Event: events/build_features.json."""

from countersign.entry import entrypoint
from countersign.steps import build_features

handler = entrypoint(build_features.Request, build_features.run)
