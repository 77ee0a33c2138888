from __future__ import annotations

from tests.unit.features.conftest import aws
from tests.unit.score.conftest import world

__all__ = ["aws", "world"]
