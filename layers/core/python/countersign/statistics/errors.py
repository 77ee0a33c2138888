"""What a statistic refuses.

ValueError
└── ShapeError      lengths differ, or too few entries
"""


class ShapeError(ValueError):
    """Arrays whose lengths differ, or that are too short for the statistic."""
