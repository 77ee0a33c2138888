"""A loaded machine is not a failing test, and a run is repeatable."""

from hypothesis import settings

settings.register_profile("monitoring", deadline=None, derandomize=True)
settings.load_profile("monitoring")
