"""Export a trained run, hold it against its golden vectors, judge it on the test rows, draw it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countersign.declare import UseCase
from countersign.errors import DigestMismatchError
from countersign.learning import environment, export
from countersign.learning.card import model_card
from countersign.learning.evaluation import Verdict, judge
from countersign.learning.golden import largest_difference
from countersign.learning.native import FILE
from countersign.learning.record import RECORD, manifest
from countersign.reports import evaluation as evaluation_page
from countersign.serving.session import ModelSession, golden_vectors
from countersign.workbench.folder import Channel
from countersign.workbench.pages import plots_of

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Exported:
    """The model as it would be served, its manifest, and how far it is from the native one."""

    session: ModelSession
    manifest: dict[str, Any]
    parity: dict[str, Any]


def export_run(run: Path) -> Exported:
    """Write `model.onnx`, `serving.json`, `parity.json` and `manifest.json`; nothing is signed here.

    The machine signs, with a key that no desk has: a run from a desk cannot be served.

    Raises
    ------
    ExportError     ONNX would not equal the native model
    """
    record = json.loads((run / RECORD).read_text())
    files = {name: _trained(run, name, digest) for name, digest in record["files"].items()}
    model = export.to_onnx(files[FILE])
    made = environment.describe(environment.EXPORT)
    serving = {**record["serving"], "versions": made}
    rows, native = golden_vectors(files["golden.npz"])
    served = ModelSession("", model, serving).score_many(rows)
    parity = {"golden_rows": len(rows), "max_abs_difference": largest_difference(native, served)}
    files["model.onnx"] = model
    files["serving.json"] = json.dumps(serving, sort_keys=True, allow_nan=False).encode()
    described = manifest(record, files, parity, made)
    content = json.dumps(described, sort_keys=True, allow_nan=False).encode()
    for name in ("model.onnx", "serving.json"):
        (run / name).write_bytes(files[name])
    write_json(run / "parity.json", parity)
    (run / MANIFEST).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return Exported(ModelSession(digest, model, serving), described, parity)


def _trained(run: Path, name: str, digest: str) -> bytes:
    content = (run / name).read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise DigestMismatchError(f"{name} is not what training wrote; train again")
    return content


def judge_run(
    use_case: UseCase,
    run: Path,
    channel: Channel,
    exported: Exported,
    *,
    created_at: str,
    search: Mapping[str, Any] | None = None,
) -> Verdict:
    """Judge the exported model on the test rows, as `evaluate` does, and write all that is said of it."""
    verdict = judge(
        use_case,
        exported.session,
        exported.manifest,
        valid=channel.splits["valid"],
        test=channel.splits["test"],
        created_at=created_at,
    )
    document = verdict.document
    write_json(run / "metrics.json", verdict.metrics)
    write_json(run / "ml_vs_rules_comparison.json", document["rules_comparison"])
    write_json(run / "classification_report.json", document["class_report"])
    (run / "card.md").write_text(model_card(use_case, exported.manifest, document))
    write_json(run / "evaluation.json", document)
    draw(run, document, search)
    return verdict


def draw(run: Path, document: Mapping[str, Any], search: Mapping[str, Any] | None) -> None:
    """`report.html`, with the history of the search where there was one, and each plot as its own file."""
    html = evaluation_page.render(document, search=search)
    (run / "report.html").write_text(html, encoding="utf-8")
    folder = run / "plots"
    folder.mkdir(exist_ok=True)
    for name, svg in plots_of(document, search).items():
        (folder / f"{name}.svg").write_text(svg, encoding="utf-8")


def write_json(path: Path, document: Any) -> None:
    """A JSON document for people and programs: finite numbers, keys in order."""
    path.write_text(json.dumps(document, indent=1, sort_keys=True, allow_nan=False))
