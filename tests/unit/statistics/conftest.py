"""A loaded machine is not a failing test: no deadline per example."""

from hypothesis import settings

settings.register_profile("statistics", deadline=None)
settings.load_profile("statistics")
