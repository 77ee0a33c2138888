from tests.unit.learning.world import stores

__all__ = ["stores"]
