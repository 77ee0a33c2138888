"""`countersign features audit`: does a training set hold what nobody could know then?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from countersign import use_cases
from countersign.aws.settings import Settings
from countersign.aws.stores import Stores
from countersign.cli import printing
from countersign.cli.deployment import Deployment, Identity, Output
from countersign.cli.features import names
from countersign.cli.features.values import moment
from countersign.clock import parse_iso
from countersign.errors import NotFoundError

Draw = Callable[[], str]
_BAD = ("leak", "differs", "suspicious")


def audit(
    training_set: Annotated[
        str, typer.Argument(help="A dataset's id, or a .parquet or .csv file of your own.")
    ],
    use_case: Annotated[
        str,
        typer.Option(help="Whose features a file holds.", autocompletion=names.complete_use_case),
    ] = "",
    label: Annotated[str, typer.Option(help="The label's column in a file.")] = "label",
    by: Annotated[
        str, typer.Option(help="Of a file: what was known by then; now when left out.")
    ] = "",
    prove: Annotated[
        bool, typer.Option("--prove", help="Of a dataset: compute every value again and compare.")
    ] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report here too.")] = None,
    identity: Identity = "data-scientist",
    output: Output = "table",
) -> None:
    """The leakage audit of a training set; exit 1 when something leaks or is suspicious."""
    deployed = Deployment.signed_as(identity)
    if Path(training_set).suffix.lower() in {".parquet", ".csv"}:
        if not Path(training_set).is_file():
            raise typer.BadParameter(f"no file {training_set}")
        if not use_case:
            raise typer.BadParameter("a file needs --use-case: whose features it holds")
        found, page = _of_file(deployed, use_case, Path(training_set), by=by, label=label)
    else:
        found, page = _of_dataset(deployed, training_set, prove=prove)
    if html is not None:
        html.write_text(page(), encoding="utf-8")
    if output == "json":
        printing.document(found)
    else:
        _print(training_set, found)
    if not found["passed"]:
        raise typer.Exit(1)


def _of_file(
    deployed: Deployment, name: str, path: Path, *, by: str, label: str
) -> tuple[dict[str, Any], Draw]:
    from countersign.steps.freeze_dataset.audit import audit_file

    use_cases.get(name)
    with printing.progress() as bars:
        bars.add_task("Computing every value again", total=None)
        found = audit_file(
            stores_of(deployed), name, path, by=moment(by) if by else None, label=label
        )
    told = {"training_set": path.name, "use_case": name, "proven": True, **found}
    return told, lambda: page_of(told)


def page_of(found: Mapping[str, Any]) -> str:
    """The page of a file of one's own: the verdict and every column."""
    from countersign.reports import dataset, page

    return page.page(
        f"Training set {found['training_set']}",
        subtitle=f"{found['rows']} rows, held against the features of {found['use_case']}",
        body=[
            page.banner(*_verdict(found)),
            dataset.leakage({"views": {}, "columns": {}}, found),
        ],
        footer="Countersign. Made of the file and of the sources in the lake.",
    )


def _of_dataset(
    deployed: Deployment, dataset_id: str, *, prove: bool
) -> tuple[dict[str, Any], Draw]:
    """What the dataset was frozen with, and the proof of every value when there is one."""
    from countersign.reports import dataset
    from countersign.steps.freeze_dataset.comparison import evidence_key

    lake = deployed.lake()
    try:
        manifest = lake.read_json(f"datasets/{dataset_id}/manifest.json")
    except NotFoundError:
        raise NotFoundError(f"No dataset {dataset_id!r}") from None
    key = evidence_key(manifest["use_case"], dataset_id)
    evidence = lake.read_json(key) if lake.exists(key) else {}
    if prove:
        evidence = {**evidence, "audit": _proof(deployed, manifest)}
    proof = evidence.get("audit")
    found = proof or from_join(manifest["leakage_audit"], manifest["rows"])
    head = {"training_set": dataset_id, "use_case": manifest["use_case"], "proven": bool(proof)}
    return {**head, **found}, lambda: dataset.render(manifest, evidence)


def _proof(deployed: Deployment, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Every value of a frozen dataset computed again from the sources, here."""
    from countersign.features import dataset, duck, leakage
    from countersign.steps.freeze_dataset.freeze import load_sources

    use_case, stores = use_cases.get(manifest["use_case"]), stores_of(deployed)
    with (
        printing.progress() as bars,
        tempfile.TemporaryDirectory() as scratch,
        duck.connect(Path(scratch)) as connection,
    ):
        bars.add_task("Computing every value again", total=None)
        folder = f"datasets/{manifest['dataset_id']}"
        keys = [f"{folder}/{split}.parquet" for split in dataset.SPLITS]
        files = stores.lake.download(keys, Path(scratch) / "dataset")
        load_sources(connection, stores, use_case, Path(scratch))
        return leakage.audit_frame(
            connection,
            use_case,
            f"(SELECT * FROM {duck.parquet(files)})",  # noqa: S608 - names of our own files
            by=parse_iso(manifest["as_of"]),
            scratch=Path(scratch),
        )


def stores_of(deployed: Deployment) -> Stores:
    """Stores whose lake is read as this person."""
    lake = deployed.lake()
    environment = str(deployed.cloud.outputs.get("environment", "local"))
    stores = Stores(Settings(environment=environment, lake_bucket=lake.bucket))
    stores.lake = lake
    return stores


def from_join(audit: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """The audit that a dataset was frozen with, in the shape of a proof: held by clocks, per view."""
    judged = audit.get("judged") or {}
    places = {name: found["view"] for name, found in audit["columns"].items()}
    views, odd = audit["views"], list(audit.get("suspicious") or [])
    columns = []
    for name in dict.fromkeys([*places, *judged]):
        held = views.get(places.get(name, ""), {})
        slack = held.get("known_at")
        leaks = bool(held.get("violations"))
        columns.append(
            {
                "column": name,
                "origin": places.get(name, "request"),
                "verdict": "leak" if leaks else "suspicious" if name in odd else "held",
                "compared": held.get("rows"),
                "differing": held.get("violations"),
                "slack_seconds": None if slack is None else -slack,
                "separation": judged.get(name),
            }
        )
    leaking = [row["column"] for row in columns if row["verdict"] == "leak"]
    return {
        "rows": rows,
        "passed": not leaking and not odd,
        "leaks": leaking,
        "suspicious": odd,
        "unknown": [],
        "columns": columns,
    }


def _print(name: str, found: Mapping[str, Any]) -> None:
    printing.say(f"{name}: {found['rows']} rows of {found['use_case']}", "bold")
    if not found["proven"]:
        printing.say("Held by the clocks of the join; --prove computes every value again.", "dim")
    printing.say()
    for origin in dict.fromkeys(row["origin"] for row in found["columns"]):
        printing.table(
            ("column", "verdict", "differing", "known before", "AUC alone"),
            [_line(row) for row in found["columns"] if row["origin"] == origin],
            title=origin or "columns of its own",
            right=("verdict", "differing", "known before", "AUC alone"),
        )
    for row in found["columns"]:
        if row["verdict"] in _BAD and row.get("why"):
            printing.say(f"{row['column']}: {row['why']}", "red")
    printing.say(_verdict(found)[1], "green" if found["passed"] else "bold red")


def _line(row: Mapping[str, Any]) -> Sequence[Any]:
    area = (row.get("separation") or {}).get("auc")
    verdict = "LEAKS" if row["verdict"] in {"leak", "differs"} else row["verdict"]
    return (
        row["column"],
        verdict,
        row.get("differing"),
        printing.duration(row.get("slack_seconds")),
        None if area is None else f"{area:.3f}",
    )


def _verdict(found: Mapping[str, Any]) -> tuple[str, str]:
    if found["leaks"]:
        return "alert", f"Leaks: {', '.join(found['leaks'])}"
    if found["suspicious"]:
        return "alert", f"Suspicious: {', '.join(found['suspicious'])}"
    unknown = f"; unknown: {', '.join(found['unknown'])}" if found["unknown"] else ""
    return "passed", f"Nothing leaks and nothing is suspicious{unknown}"
