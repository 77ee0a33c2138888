"""The proof that pruning took nothing that is used. Runs inside each finished layer.

    PYTHONPATH=build/layers/local/<weight>/python python -S layers/smoke.py <weight>

`tests/infra/test_layers.py` runs it with the interpreter and the isolation of the local cloud.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path


def base() -> None:
    """Observability."""
    from aws_lambda_powertools import Logger, Metrics

    assert Logger(service="smoke")
    assert Metrics(namespace="smoke")


def scoring() -> None:
    """Arrays and a session; a model comes with the export layer's proof."""
    import numpy as np
    import onnxruntime

    assert "CPUExecutionProvider" in onnxruntime.get_available_providers()
    with tempfile.TemporaryDirectory() as folder:
        np.savez_compressed(Path(folder) / "a.npz", x=np.arange(3.0))
        assert np.load(Path(folder) / "a.npz", allow_pickle=False)["x"].sum() == 3.0


def query() -> None:
    """SQL over Parquet files."""
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.parquet"
        duckdb.sql("SELECT range AS x FROM range(5)").write_parquet(str(file))
        assert duckdb.read_parquet(str(file)).sum("x").fetchall() == [(10,)]


def training() -> None:
    """Fit, search, calibrate, judge; boost and explain."""
    import duckdb
    import numpy as np
    import xgboost
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import (
        HistGradientBoostingClassifier,
        IsolationForest,
        RandomForestClassifier,
    )
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import average_precision_score, classification_report, roc_auc_score
    from sklearn.model_selection import GridSearchCV, StratifiedKFold, TimeSeriesSplit
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x = np.random.default_rng(0).normal(size=(300, 5)).astype("float32")
    y = (x[:, 0] > 0).astype(int)
    assert IsolationForest(n_estimators=20, random_state=0).fit(x).score_samples(x).shape == (300,)
    for model in (RandomForestClassifier(10), HistGradientBoostingClassifier(max_iter=5)):
        assert model.fit(x, y).predict_proba(x).shape == (300, 2)
    for folds in (StratifiedKFold(3), TimeSeriesSplit(3)):
        GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=folds).fit(x, y)
    CalibratedClassifierCV(make_pipeline(StandardScaler(), LogisticRegression())).fit(x, y)
    assert roc_auc_score(y, x[:, 0]) == 1.0
    assert average_precision_score(y, x[:, 0]) == 1.0
    assert classification_report(y, y)
    boosted = xgboost.XGBClassifier(n_estimators=5).fit(x, y)
    assert boosted.get_booster().save_raw("ubj")
    contributions = boosted.get_booster().predict(xgboost.DMatrix(x), pred_contribs=True)
    assert contributions.shape == (300, 6)
    assert duckdb.sql("SELECT 1 AS one").fetchnumpy()["one"][0] == 1


def export() -> None:
    """Make a graph, check it, run it."""
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    scoring()
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "twice",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    assert session.run(None, {"x": np.array([2.0], dtype="float32")})[0][0] == 4.0


def report() -> None:
    """Draw and lay out."""
    import io

    import markupsafe
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([0, 1], [1, 0], label="a")
    axes.legend()
    for kind in ("svg", "png"):
        target = io.BytesIO()
        figure.savefig(target, format=kind)
        assert target.tell() > 1000
    assert markupsafe.escape("<x>") == "&lt;x&gt;"


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    sys.stdout.write(f"{sys.argv[1]}: works\n")
