"""What a dataset is that a person names: a published CSV, a flat file, a delivery, a frozen dataset."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from countersign import use_cases
from countersign.cli.importers import Delivered, import_paysim, import_telco
from countersign.cli.importers.paysim import PAYSIM
from countersign.cli.importers.renaming import plain
from countersign.cli.importers.telco import TELCO
from countersign.clock import Clock
from countersign.declare import UseCase
from countersign.errors import ContractError, NotFoundError, RequestError
from countersign.features import reading
from countersign.workbench import delivery, flat, flat_file, folder
from countersign.workbench.config import Config
from countersign.workbench.sampling import header_of, sample

# Published files that a use case reads as they are: how to import them, and the names by which they are known.
PUBLISHED: Mapping[str, tuple[Callable[[Sequence[Path], Path], Delivered], tuple[str, ...]]] = {
    "paysim_fraud": (
        import_paysim,
        tuple(plain(each.name) for each in PAYSIM.fields if not each.absent),
    ),
    "telco_churn": (
        import_telco,
        tuple(plain(each.name) for each in TELCO.fields if not each.absent),
    ),
}
_KNOWN = 0.7  # of a format's columns make a file one of it; the importer says what the others are


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What can be trained on: a use case with delivered files by source, or a frozen dataset."""

    use_case: UseCase
    delivered: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    frozen: Path | None = None
    declaration: Mapping[str, Any] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def find_material(
    dataset: Path, config: Config, place: Path, *, use_case: str = "", size: int | None = None
) -> Material:
    """What `dataset` is. `use_case`: its name, else the configuration's, else what the file looks like.

    Raises
    ------
    RequestError    it is not said what the file is, or what is said does not fit
    DataError       the file cannot be used
    """
    name = use_case or config.use_case
    if name and config.data:
        raise config.refuse("data", f"declares a flat file, and {name} is declared already")
    if dataset.is_dir():
        if size is not None:
            raise RequestError("--sample-size is for a file; a folder is trained on whole")
        return _of_folder(dataset, config, name)
    sampled = sample(dataset, size, place, seed=_seed(config)) if size else None
    path = sampled.path if sampled else dataset
    facts: dict[str, Any] = {"file": dataset.name, "sha256": _digest(dataset)}
    if sampled:
        facts |= {"sample_size": sampled.rows, "rows_in_file": sampled.rows_in}
    if config.data:
        return _flat(path, config, place, facts)
    name = name or _looks_like(path)
    if name in PUBLISHED:
        return _published(name, path, place, facts)
    known = _named(name) if name else None
    if known is not None:
        raise RequestError(
            f"{known.name} is trained from a delivery (a folder with raw/<source>/…) or a frozen dataset; "
            f"straight from a file only {', '.join(PUBLISHED)}, or any file with data in the configuration"
        )
    raise RequestError(
        f"{dataset.name} is no published file that is known here; name the label with data.label in the "
        f"configuration, or its use case ({', '.join(PUBLISHED)})"
    )


def _seed(config: Config) -> int:
    return 7 if config.seed is None else config.seed


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _named(name: str) -> UseCase:
    try:
        return use_cases.get(name)
    except NotFoundError as error:
        raise RequestError(error.detail) from error


def _of_folder(dataset: Path, config: Config, name: str) -> Material:
    if folder.is_dataset(dataset):
        return _frozen(dataset, config, name)
    files = delivery.delivered_files(dataset)
    if not files:
        raise ContractError(
            f"{dataset.name} is neither a frozen dataset (manifest.json and splits) nor a delivery "
            "(raw/<source>/…)"
        )
    if not name:
        raise RequestError("A delivery may serve several use cases; name one with --use-case")
    return Material(
        use_case=_named(name),
        delivered=files,
        facts={"folder": dataset.name, "files": sum(map(len, files.values()))},
    )


def _frozen(dataset: Path, config: Config, name: str) -> Material:
    stated = folder.read_manifest(dataset)["use_case"]
    if name and name != stated:
        raise RequestError(f"{dataset.name} is a dataset of {stated}, not of {name}")
    for setting in ("test_size", "split", "as_of", "data"):
        if setting in config.stated:
            raise config.refuse(setting, "is for a file; a frozen dataset is split already")
    declared = dataset / flat.DECLARATION
    if declared.is_file():
        try:
            facts = json.loads(declared.read_text())
            use_case = flat.use_case_of(facts)
        except (ValueError, KeyError, TypeError) as error:
            raise ContractError(f"{flat.DECLARATION} of {dataset.name} declares nothing") from error
        return Material(
            use_case=use_case, frozen=dataset, declaration=facts, facts={"folder": dataset.name}
        )
    return Material(use_case=_named(stated), frozen=dataset, facts={"folder": dataset.name})


def _flat(path: Path, config: Config, place: Path, facts: dict[str, Any]) -> Material:
    laid = flat_file.lay_out(path, config, place, now=Clock().now())
    notes = [f"{laid.rows} rows, {len(laid.facts['features'])} features"]
    if laid.left_out:
        notes.append(f"left out, neither number nor category: {', '.join(laid.left_out)}")
    return Material(
        use_case=flat.use_case_of(laid.facts),
        delivered=laid.files,
        declaration=laid.facts,
        facts={**facts, "rows_in": laid.rows, "left_out": list(laid.left_out)},
        notes=tuple(notes),
    )


def _looks_like(path: Path) -> str:
    """The use case whose published file has such a header; empty when none has."""
    try:
        if not reading.format_of(path.name).startswith("csv"):
            return ""
        header = {plain(name) for name in header_of(path)}
    except ContractError:
        return ""
    for name, (_, columns) in PUBLISHED.items():
        if len(header & set(columns)) >= _KNOWN * len(columns):
            return name
    return ""


def _published(name: str, path: Path, place: Path, facts: dict[str, Any]) -> Material:
    made = PUBLISHED[name][0]([path], place / "imported")
    (count,) = made.read
    files: dict[str, list[Path]] = {}
    for file in made.files:
        files.setdefault(file.source, []).append(place / "imported" / file.key)
    return Material(
        use_case=use_cases.get(name),
        delivered=files,
        facts={**facts, "rows_in": count.rows_in, "refused": count.quarantined},
        notes=(f"{count.rows_in} rows in, {count.rows_out} out, {count.quarantined} refused",),
    )
