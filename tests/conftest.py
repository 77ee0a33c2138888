"""Property tests try the same examples on every run; `HYPOTHESIS_PROFILE=explore pytest …` tries new ones.

A change is judged by what it changed, not by the luck of the draw; whoever works on an engine explores.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
