"""Every function, one row: what it carries, how big it is, what it may touch.

Policies, environment variables, sizes, alarms and the tests of least privilege all come from here.
"""

from infra.catalog.features import FEATURES
from infra.catalog.governing import GOVERNING
from infra.catalog.learning import LEARNING
from infra.catalog.online import ONLINE
from infra.catalog.row import Function

FUNCTIONS: tuple[Function, ...] = (*ONLINE, *FEATURES, *LEARNING, *GOVERNING)
BY_NAME: dict[str, Function] = {function.name: function for function in FUNCTIONS}
USED_LAYERS = tuple(dict.fromkeys(layer for row in FUNCTIONS for layer in row.layers))

__all__ = ["BY_NAME", "FUNCTIONS", "USED_LAYERS", "Function"]
