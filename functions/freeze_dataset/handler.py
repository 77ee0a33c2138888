"""Freeze a training set, point in time. Event: events/freeze_dataset.json."""

from countersign.entry import entrypoint
from countersign.steps import freeze_dataset

handler = entrypoint(freeze_dataset.Request, freeze_dataset.run)
