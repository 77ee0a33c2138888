"""Hold a candidate against the champion. Event: events/backtest.json."""

from countersign.entry import entrypoint
from countersign.steps import backtest

handler = entrypoint(backtest.Request, backtest.run)
