"""Several models as one: a weighted average of their probabilities, a vote, or a model over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from countersign.learning.native.linear import Linear
from countersign.learning.native.trees import Trees
from countersign.learning.native.words import Floats, Inputs, Ints

How = Literal["weighted", "vote", "stacked"]
# Just below one half: shares of a forest are often exactly one half, and float32 must agree on the side.
VOTE_AT = 0.5 - 1.0 / 1021.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """`members` see the same inputs and have the same outputs.

    Parameters
    ----------
    members : tuple of Trees or Linear
    how : "weighted" average, "vote" (weighted share of the members that say yes; one output only), or
        "stacked" (`top` over the members' probabilities, member after member)
    weights : float64, shape (n_members,), summing to 1; unused by "stacked"
    top : Linear or None
    """

    members: tuple[Trees | Linear, ...]
    how: How
    weights: Floats
    top: Linear | None = None

    @property
    def n_features(self) -> int:
        """How many inputs there are."""
        return self.members[0].n_features

    @property
    def n_outputs(self) -> int:
        """How many probabilities a row has."""
        return self.members[0].n_outputs if self.top is None else self.top.n_outputs

    def score(self, rows: Inputs) -> Floats:
        """Probabilities of float32 rows; (n_rows,) or (n_rows, n_outputs)."""
        each = [member.score(rows) for member in self.members]
        if self.top is not None:
            return self.top.score(side_by_side(each))
        if self.how == "vote":
            each = [np.asarray(scores >= VOTE_AT, dtype=np.float64) for scores in each]
        return np.asarray(sum(w * s for w, s in zip(self.weights.tolist(), each, strict=True)))

    def split_points(self) -> tuple[Ints, Floats]:
        """Those of every member."""
        each = [member.split_points() for member in self.members]
        return np.concatenate([f for f, _ in each]), np.concatenate([t for _, t in each])


def side_by_side(each: list[Floats]) -> Inputs:
    """The members' probabilities as inputs of a model over them, float32 (n_rows, members × outputs)."""
    columns = [scores[:, None] if scores.ndim == 1 else scores for scores in each]
    return np.concatenate(columns, axis=1).astype(np.float32)
