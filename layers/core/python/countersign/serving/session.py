"""A model ready to score: verified bytes, allowed operators, and golden vectors that still agree."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from countersign.declare import Hybrid, Rule
from countersign.errors import ArtifactError
from countersign.serving.operators import check_structure, graph_of
from countersign.serving.preprocess import KEEP, LARGEST, Fills, vector
from countersign.serving.rules import rules_from_json
from countersign.serving.strategies import from_json as strategies_from_json

FILES = ("model.onnx", "serving.json", "golden.npz")
TOLERANCE = 1e-5
# Probabilities are float32 sums; what is further from 1 is not a distribution.
SUM_TOLERANCE = 1e-4


class VerifiedArtifact(Protocol):
    """What `Artifacts.load` returns: bytes whose signature and digests were verified."""

    @property
    def digest(self) -> str: ...

    @property
    def files(self) -> Mapping[str, bytes]: ...


class Said(NamedTuple):
    """What a model says of one row: its score and, of a model of classes, each class's probability.

    The score of a model of classes is the probability of the likeliest class.
    """

    score: float
    probabilities: dict[str, float] | None = None


class ModelSession:
    """One model in one worker. Not for several threads at once: the input buffer is shared.

    `features` are the model's inputs in order, `request_time` those of them made at request time,
    `fills` the constants for nulls, `threshold`, `hybrid` and `rules` the decision's parts; `classes` is
    empty for a model of one score.
    """

    def __init__(self, digest: str, model: bytes, serving: Mapping[str, Any]) -> None:
        self.digest = digest
        self.serving = serving
        try:
            self.features: tuple[str, ...] = tuple(serving["features"])
            self.request_time: tuple[str, ...] = tuple(serving["request_time"])
            self.fills: Fills = {name: serving["fills"][name] for name in self.features}
            self.threshold = float(serving["threshold"])
            self.rules: tuple[Rule, ...] = rules_from_json(serving["rules"])
            self.strategies = strategies_from_json(serving.get("strategies", ()))
            self.hybrid = Hybrid(**serving["hybrid"])
            self.classes: tuple[str, ...] = tuple(serving.get("classes", ()))
            self._low, self._high = (float(bound) for bound in serving["score_range"])
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError("serving.json is not complete; export the model again") from error
        if self.classes:
            _refuse_unfit_classes(self.classes, [s.name for s in self.strategies])
        self._keeps = np.array([fill == KEEP for fill in self.fills.values()])
        self._session = _open(model, len(self.features), len(self.classes) or 1)
        self._input = self._session.get_inputs()[0].name
        self._outputs = [self._session.get_outputs()[0].name]
        self._row = np.zeros((1, len(self.features)), dtype=np.float32)
        self._feed = {self._input: self._row}

    @classmethod
    def load(cls, artifact: VerifiedArtifact) -> ModelSession:
        """A session from verified `FILES`, after its golden vectors scored as they did in training.

        Raises
        ------
        ArtifactError   a file is missing or malformed, an operator is not allowed, or a score moved
        """
        missing = [name for name in FILES if name not in artifact.files]
        if missing:
            raise ArtifactError(f"The artifact lacks {', '.join(missing)}; load all of {FILES}")
        try:
            serving = json.loads(artifact.files["serving.json"])
        except ValueError as error:
            raise ArtifactError("serving.json is not JSON; export the model again") from error
        session = cls(artifact.digest, artifact.files["model.onnx"], serving)
        rows, expected = golden_vectors(artifact.files["golden.npz"])
        difference = session.difference(rows, expected)
        if not difference <= TOLERANCE:  # NaN fails too
            raise ArtifactError(
                f"The golden vectors score {difference:.3g} away from the native model here; "
                f"{TOLERANCE:g} is allowed. Do not serve this version on this runtime"
            )
        return session

    def score(self, row: Sequence[float]) -> float:
        """The model's score of one filled row, in [0, 1]; of classes, the likeliest one's probability.

        Raises
        ------
        ArtifactError   the row is not whole and finite, or the score is not finite and in range
        """
        return self.say(row).score

    def say(self, row: Sequence[float]) -> Said:
        """The score and the probabilities of one filled row. Raises ArtifactError as `score` does."""
        if self.classes:
            shares = self.probabilities(row)
            return Said(max(shares.values()), shares)
        score = float(self._run(row)[0])
        if not self._low <= score <= self._high:  # NaN fails too
            raise ArtifactError("The model's score is not finite and in its declared range")
        return Said(score)

    def probabilities(self, row: Sequence[float]) -> dict[str, float]:
        """The probability of each class for one filled row. Raises ArtifactError as `score` does."""
        found = dict(zip(self.classes, self._run(row).tolist(), strict=True))
        if not all(self._low <= share <= self._high for share in found.values()):  # NaN fails too
            raise ArtifactError("A probability is not finite and in its declared range")
        if abs(sum(found.values()) - 1.0) > SUM_TOLERANCE:
            raise ArtifactError("The probabilities of the classes do not sum to one")
        return found

    def _run(self, row: Sequence[float]) -> NDArray[np.float32]:
        if len(row) != len(self.features):
            raise ArtifactError(f"{len(row)} values for a model of {len(self.features)} features")
        if not all(-LARGEST <= value <= LARGEST for value in row):  # NaN fails too
            self._refuse_unkept(np.array([row]))
        self._row[0] = row
        outputs: NDArray[np.float32] = self._session.run(self._outputs, self._feed)[0][0]
        return outputs

    def _refuse_unkept(self, rows: NDArray[Any]) -> None:
        """Raise unless every value is a float32, or a null that the model has a branch for."""
        if not ((np.abs(rows) <= LARGEST) | (np.isnan(rows) & self._keeps)).all():
            raise ArtifactError("The model's input does not fit finite float32 values")

    def score_many(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """The same scores, bit for bit, of many filled rows of shape (n_rows, n_features).

        Shape (n_rows,), or (n_rows, n_classes) for a model of classes.
        """
        if rows.ndim != 2 or rows.shape[1] != len(self.features):
            raise ArtifactError(f"Rows of {len(self.features)} features are needed")
        self._refuse_unkept(rows)
        if not len(rows):
            return np.empty((0, len(self.classes)) if self.classes else 0)
        feed = {self._input: np.ascontiguousarray(rows, dtype=np.float32)}
        scores = self._session.run(self._outputs, feed)[0].astype(np.float64)
        scores = scores if self.classes else scores[:, 0]
        if not ((scores >= self._low) & (scores <= self._high)).all():
            raise ArtifactError("A score is not finite and in its declared range")
        if self.classes and (np.abs(scores.sum(axis=1) - 1.0) > SUM_TOLERANCE).any():
            raise ArtifactError("The probabilities of the classes do not sum to one")
        return np.asarray(scores)

    def difference(self, rows: NDArray[np.float32], expected: NDArray[np.float64]) -> float:
        """Largest difference between what is scored here and `expected`, of the shape of `score_many`.

        Raises ArtifactError when there is nothing to compare, or the shapes differ.
        """
        shape = (len(rows), len(self.classes)) if self.classes else (len(rows),)
        if not len(rows) or expected.shape != shape:
            raise ArtifactError("golden.npz has no scores of this model's shape; train it again")
        return float(np.abs(self.score_many(rows) - expected).max())

    def vector(self, features: Mapping[str, float | None]) -> list[float]:
        """The model's input row from named features, nulls filled. Raises DataError."""
        return vector(self.features, self.fills, features)


def _refuse_unfit_classes(classes: Sequence[str], strategies: Sequence[str]) -> None:
    """Raise unless every class is named once and every strategy is one of them."""
    if len(set(classes)) != len(classes) or len(classes) < 2:
        raise ArtifactError("serving.json needs two classes or more, each named once")
    if not strategies or not set(strategies) <= set(classes):
        raise ArtifactError(
            "serving.json of a model of classes needs strategies, each of them a class; "
            "declare them and export the model again"
        )


def golden_vectors(content: bytes) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Rows and native scores of a `golden.npz`. Raises ArtifactError when it is not one."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return archive["X"], archive["score"]
    except (ValueError, KeyError, OSError, EOFError, BadZipFile) as error:
        raise ArtifactError("golden.npz is not a set of golden vectors") from error


def _open(model: bytes, n_features: int, n_outputs: int) -> Any:
    """The onnxruntime session, once the file's operators, trees and shapes are what they must be."""
    import onnxruntime

    check_structure(graph_of(model), n_features=n_features)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no common base of their own
        raise ArtifactError("onnxruntime refuses model.onnx; export it again") from error
    taken = [(i.type, i.shape[1:]) for i in session.get_inputs()]
    given = [(o.type, o.shape[1:]) for o in session.get_outputs()]
    if taken != [("tensor(float)", [n_features])] or given != [("tensor(float)", [n_outputs])]:
        raise ArtifactError("model.onnx does not take the features that serving.json lists")
    return session
