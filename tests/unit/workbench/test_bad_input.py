"""What is wrong with a file or a configuration is one line that names it; nothing is left behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .desk import COLUMNS, DATA, QUICK, Row, Terminal, rows, text, write

Spoil = Callable[[list[Row]], list[Row]]


def spoiled(**cells: str) -> Spoil:
    return lambda made: [{**row, **cells} for row in made]


def third_value(made: list[Row]) -> list[Row]:
    return [{**row, "churned": "2"} if n % 9 == 0 else row for n, row in enumerate(made)]


def repeated(made: list[Row]) -> list[Row]:
    return [*made, *({**row, "id": f"{row['id']}-again"} for row in made[:40])]


def same_key(made: list[Row]) -> list[Row]:
    return [*made, {**made[0], "age": "33"}]


def one(column: str, value: str) -> Spoil:
    def spoil(made: list[Row]) -> list[Row]:
        return [*made[:-1], {**made[-1], column: value}]

    return spoil


def few_positives(made: list[Row]) -> list[Row]:
    return [{**row, "churned": "1" if n % 200 == 0 else "0"} for n, row in enumerate(made)]


def long_texts(made: list[Row]) -> list[Row]:
    return [{**row, "Plan Name": f"plan {n}"} for n, row in enumerate(made)]


NAMED = "data: {label: churned, key: id, time: at, features: [age, Plan Name, spend]}\n"
CASES: dict[str, tuple[Spoil, str, int, str]] = {
    "a label with three values": (third_value, DATA, 2, "has 3 values"),
    "one label": (spoiled(churned="1"), DATA, 1, "the same label"),
    "a row without a label": (one("churned", ""), DATA, 1, "1 rows have no label"),
    "too few rows": (lambda made: made[:120], DATA, 1, "needs 200"),
    "too few positives": (few_positives, DATA, 1, "5 positives; needs 200 with 10"),
    "a constant feature": (spoiled(spend="5.00"), DATA, 1, "spend: two distinct values"),
    "an all-null feature": (spoiled(spend=""), DATA, 1, "spend: a value in some training row"),
    "rows that came twice": (repeated, DATA, 1, "40 of 940 rows"),
    "a key that came twice": (same_key, DATA, 1, "repeat the key"),
    "a row from the future": (one("at", "2026-12-24T00:00:00Z"), DATA, 1, "in the future, the first is row 900"),
    "a time without a zone": (one("at", "2026-08-01 00:00:00"), DATA, 1, "the first is row 900"),
    "a feature that is free text": (long_texts, NAMED, 1, "more than 50 different values"),
    "an unknown column": (list, DATA.replace("key: id", "key: nr"), 2, "line 3: data.key names 'nr'"),
    "the label as a feature": (
        list, DATA.replace("key: id", "features: [age, churned]"), 2, "holds the label itself",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_data_that_cannot_teach_is_refused_in_one_line(
    name: str, terminal: Terminal, tmp_path: Path
) -> None:
    spoil, data, code, told = CASES[name]
    path = write(tmp_path / "rows.csv", spoil(rows()), COLUMNS)
    config = text(tmp_path / "c.yaml", QUICK + data)
    ended = terminal.type("train", "--dataset", path, "--config", config, "--out", tmp_path / "run")
    assert told in ended.refusal
    assert ended.code == code
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.yaml", "rows.csv"]


WRONG = {
    "hyperparameter: {max_depth: 3}": "line 3: unknown key 'hyperparameter'; did you mean 'hyperparameters'?",
    "model: xgboost_binary": "line 3: 'model' stands twice",
    "test_size: 2": "line 3: test_size must be a number from 0.01 to 0.9",
    "seed: often": "line 3: seed must be a whole number",
    "split: random": "line 3: split must be one of time, stratified",
    "use_case: paysim_fraud": "data declares a flat file, and paysim_fraud is declared already",
    "gates: [{metric: auc}]": "needs at_least, at_most or both",
    "members: [{model: random_forest}, {model: xgboost_binary}]": "parts of an ensemble",
    "search: {space: {depth: [1, 2]}}": "line 3: unknown key 'depth' in search.space",
    "search: {space: {max_depth: [1, 2]}, scoring: gini}": "search.scoring must be one of auc,",
    "search: {space: {max_depth: {low: 1, high: 3}}}": "is a range; a grid needs lists",
    "as_of: 2026-11-01 00:00:00": "with its time zone",
    "[": "not YAML",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_configuration_is_refused_by_name_and_line(
    line: str, terminal: Terminal, flat: Path, tmp_path: Path
) -> None:
    config = text(tmp_path / "c.yaml", f"model: xgboost_binary\n# a remark\n{line}\n{DATA}")
    ended = terminal.type("train", "--dataset", flat, "--config", config, "--out", tmp_path / "run")
    assert WRONG[line] in ended.refusal
    assert ended.code == 2
    assert not (tmp_path / "run").exists()


def test_a_hyperparameter_that_the_trainer_lacks_is_named_with_its_line(
    terminal: Terminal, flat: Path, tmp_path: Path
) -> None:
    config = text(
        tmp_path / "c.yaml", f"model: random_forest\nhyperparameters:\n  depth: 3\n{DATA}"
    )
    ended = terminal.type("train", "--dataset", flat, "--config", config, "--out", tmp_path / "run")
    assert "c.yaml, line 3: unknown key 'depth' in hyperparameters" in ended.refusal
    assert ended.code == 2


def test_what_the_library_refuses_is_told_in_its_words(
    terminal: Terminal, flat: Path, tmp_path: Path
) -> None:
    config = text(
        tmp_path / "c.yaml", f"model: random_forest\nhyperparameters: {{max_features: -3}}\n{DATA}"
    )
    ended = terminal.type("train", "--dataset", flat, "--config", config, "--out", tmp_path / "run")
    assert "random_forest refuses these hyperparameters" in ended.refusal
    assert ended.code == 1


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"\x00\xff\x13 no table at all", "known here"),
        ("a.csv", b"", "known here"),
        ("a.parquet", b"PAR1 no", "known here"),
        ("a.csv.gz", b"no gzip", "known here"),
        ("a.xlsx", b"PK\x03\x04", "known here"),
    ],
)
def test_a_file_that_is_nothing_known_is_refused(
    name: str, content: bytes, told: str, terminal: Terminal, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    ended = terminal.type("train", "--dataset", path, "--out", tmp_path / "run")
    assert told in ended.refusal
    assert ended.code == 2


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", b""), ("a.parquet", b"PAR1 no"), ("a.csv.gz", b"no gzip")]
)
def test_a_file_that_is_no_table_is_refused_where_its_columns_are_named(
    name: str, content: bytes, terminal: Terminal, quick: Path, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    ended = terminal.type("train", "--dataset", path, "--config", quick, "--out", tmp_path / "run")
    assert ended.refusal
    assert ended.code == 1


def test_a_dataset_that_was_changed_after_freezing_is_refused(
    terminal: Terminal, trained: Path, tmp_path: Path
) -> None:
    shutil.copytree(trained / "dataset", tmp_path / "set")
    split = tmp_path / "set/test.parquet"
    split.write_bytes((tmp_path / "set/train.parquet").read_bytes())
    ended = terminal.type("train", "--dataset", tmp_path / "set", "--out", tmp_path / "two")
    assert "is not the frozen one" in ended.refusal
    assert ended.code == 1
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize("content", ["{}", "no json", '["a"]'])
def test_a_foreign_manifest_is_no_dataset(content: str, terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    text(tmp_path / "set/manifest.json", content)
    ended = terminal.type("train", "--dataset", tmp_path / "set", "--out", tmp_path / "run")
    assert ended.refusal
    assert ended.code == 1


def test_a_file_that_is_not_there_is_wrong_usage(terminal: Terminal, tmp_path: Path) -> None:
    ended = terminal.type("train", "--dataset", tmp_path / "nowhere.csv")
    assert (ended.code, "is not there" in ended.refusal) == (2, True)


def test_a_use_case_that_nobody_declared_is_wrong_usage(
    terminal: Terminal, flat: Path, tmp_path: Path
) -> None:
    ended = terminal.type(
        "train", "--dataset", flat, "--use-case", "gossip", "--out", tmp_path / "x"
    )
    assert (ended.code, "No use case 'gossip'" in ended.refusal) == (2, True)
