from __future__ import annotations

from tests.unit.score.conftest import world

__all__ = ["world"]
