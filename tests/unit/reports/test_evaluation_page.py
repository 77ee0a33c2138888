"""The page of a real evaluation: its numbers are the document's, and nothing in a name can act."""

from __future__ import annotations

import json
import re
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from countersign.reports import evaluation, page
from countersign.reports.sections.words import word

from tests.unit.reports import judged
from tests.unit.reports.test_reports import outline

EVIL = '"><script>alert(1)</script>$x^{'
DOCUMENTS = {"score": judged.score, "classes": judged.classes}


class Tables(HTMLParser):
    """The cells of every table, by section title and then by the row's name."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, dict[str, list[str]]] = {}
        self._section, self._cells, self._into = "", [""], ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self._cells = []
        if tag in {"td", "th"}:
            self._cells.append("")
        if tag in {"td", "th", "h2", "h3"}:
            self._into = tag
            self._section = "" if tag in {"h2", "h3"} else self._section

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr":
            self.rows.setdefault(self._section, {})[self._cells[0]] = self._cells[1:]
        if tag in {"td", "th", "h2", "h3"}:
            self._into = ""

    def handle_data(self, data: str) -> None:
        if self._into in {"h2", "h3"}:
            self._section += data
        elif self._into:
            self._cells[-1] += data


def tables(html: str) -> dict[str, dict[str, list[str]]]:
    found = Tables()
    found.feed(html)
    return found.rows


@cache
def drawn(kind: str) -> str:
    return evaluation.render(DOCUMENTS[kind]())


def percent(figure: dict[str, Any]) -> str:
    return page.interval(figure, as_percent=True)


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_metric_stands_with_its_interval_and_its_method(kind: str) -> None:
    document = DOCUMENTS[kind]()
    shown = tables(drawn(kind))["Metrics"]
    for name, found in document["metrics"].items():
        assert found["method"]
        has = found["low"] is not None
        between = f"{page.number(found['low'])} to {page.number(found['high'])}" if has else "none"
        assert shown[word(name)] == [page.number(found["value"]), between, found["method"]]
        assert has or found["method"].startswith("none: ")


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_the_classification_report_is_the_documents(kind: str) -> None:
    document = DOCUMENTS[kind]()
    shown = tables(drawn(kind))["Classification report"]
    for row in document["class_report"]:
        cells = shown[row["class"]]
        assert cells[-1] == page.number(row["support"])
        assert cells[1].startswith(page.number(row["recall"]))


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_group_stands_with_the_rates_of_the_document(kind: str) -> None:
    found = DOCUMENTS[kind]()["fairness"]["groups"]["country"]
    title = f"By country {found['verdict']}"
    shown = Tables()
    # What is recommended to whom has the same groups: look at the table before it.
    shown.feed(drawn(kind).split("What is recommended to whom")[0])
    for row in found["rows"]:
        cells = shown.rows[title][row["value"]]
        assert cells[:2] == [page.number(row["n"]), page.number(row["clusters"])]
        assert percent(row["selection_rate"]) in cells
        assert page.number(row["mean_score"]) in cells
        for name in ("fpr", "fnr", "outcome_rate") if kind == "score" else ():
            assert percent(row[name]) in cells


def test_a_rejected_candidate_is_called_so_on_top_and_by_which_gate() -> None:
    html = drawn("score")
    top = html.split("<section>")[0]
    assert '<span class="badge bad">REJECTED</span> Held back by Precision, which is ' in top
    assert "AUC" not in top
    gates = tables(html)["Gates"]
    assert gates["AUC (ROC)"][3:] == ["passed", "holds over its whole interval"]
    assert gates["Precision"][3:] == ["failed", "fails over its whole interval"]
    assert gates["Latency, 95th percentile, ms"][2] == "none"
    assert gates["Latency, 95th percentile, ms"][4].startswith("cannot be said: timed once")


def test_a_gate_that_nobody_measured_says_so() -> None:
    document = json.loads(json.dumps(judged.score()))
    document["gates"][1] |= {"value": None, "low": None, "high": None, "certainty": "unknown"}
    html = evaluation.render(document)
    assert "Precision, which is not known and must be at least 0.999" in html
    assert tables(html)["Gates"]["Precision"][-1] == "not measured"


def test_rules_model_and_hybrid_cost_what_the_document_says() -> None:
    document = judged.score()
    compared = document["rules_comparison"]
    shown = tables(drawn("score"))
    for place, name in enumerate(("rules", "model", "hybrid")):
        found = compared[name]
        for metric in ("recall", "threshold", "cost_per_1000"):
            cell = shown["Model against rules"][word(metric)][place]
            assert cell.startswith(page.number(found[metric]))
        spent = shown["Threshold and cost"][name]
        assert spent[0].startswith(page.number(found["cost_per_1000"]))
        if name != "rules":
            assert spent[1] == page.interval(compared["saved_per_1000"][name])
    assert compared["hybrid"]["cost_per_1000"] == document["metrics"]["cost_per_1000"]["value"]
    for row in document["threshold"]["sensitivity"]:
        cells = shown["Threshold and cost"][row["if"]]
        assert cells[:2] == [page.number(row["threshold"], 4), page.percent(row["selection_rate"])]


def test_classes_have_their_own_drawings_and_what_is_recommended_to_whom() -> None:
    document = judged.classes()
    found = outline(drawn("classes"))
    # Confusion, ROC, PR, confidence, a calibration each, importance, one of the groups.
    assert found.drawings == 4 + 3 + 1 + 1
    text = " ".join(found.text)
    assert "What is recommended to whom" in text
    assert "no threshold of yes or no" in text
    accuracy = tables(drawn("classes"))["Model against rules"]["Accuracy"]
    for cell, name in zip(accuracy, ("rules", "model", "hybrid"), strict=True):
        assert cell.startswith(page.number(document["rules_comparison"][name]["accuracy"]))


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_windows_hyperparameters_and_calibration_are_on_the_page(kind: str) -> None:
    document = DOCUMENTS[kind]()
    text = " ".join(outline(drawn(kind)).text)
    for part in ("train", "valid", "test"):
        assert page.moment(document["split"][part]["from"]) in text
    for name in document["model"]["hyperparameters"]:
        assert name in text
    if kind == "classes":
        assert page.number(document["model"]["found"]["slope"]) in text


def test_the_fairness_section_speaks_in_sentences() -> None:
    text = " ".join(" ".join(outline(drawn("score")).text).split())
    found = judged.score()["fairness"]["groups"]["country"]
    ends = found["selection"]
    assert f"Of 1 000 rows of {ends['highest']}, " in text
    assert f"{page.percent(ends['ratio'], 0)} as many" in text
    assert "False alarms, in share of all rows in which nothing was wrong: " in text
    assert "comparisons were made" in text


def test_a_group_too_small_is_named_insufficient() -> None:
    document = json.loads(json.dumps(judged.score()))
    found = document["fairness"]["groups"]["country"]
    small = found["rows"][0]
    small["judged"], found["too_small"] = False, [{"value": small["value"], "n": small["n"]}]
    html = evaluation.render(document)
    said = re.sub(r"<[^>]+>", "", html)
    assert (
        f"INSUFFICIENT too small to judge, under 50 rows: {small['value']} ({small['n']})." in said
    )


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_no_name_can_act(kind: str) -> None:
    """A group, a feature, a class, a column and a hyperparameter with a script for a name."""
    text = json.dumps(DOCUMENTS[kind]())
    for name in ("PT", "z", "later", "country", "worker_id", "n_estimators"):
        text = text.replace(json.dumps(name), json.dumps(f"{name}{EVIL}"))
    html = evaluation.render(json.loads(text))
    found = outline(html)
    assert found.outside == []
    assert "<script" not in html


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_the_page_asks_nobody_for_anything_and_reads_in_the_dark(kind: str) -> None:
    html = drawn(kind)
    assert outline(html).outside == []
    assert not re.search(r"url\((?!#)", html)
    assert not re.search(r"@import|<img|<object|<base|<form", html)
    for at in ("prefers-color-scheme: dark", "@media print", "max-width: 40rem"):
        assert at in html
    assert html == evaluation.render(DOCUMENTS[kind]())


SEARCH = {
    "method": "random", "seed": 3, "scoring": "auc", "larger_is_better": True, "split": "time",
    "folds": [1, 2, 3], "space": {"max_depth": [2, 3]},
    "tries": [
        {"n": 0, "hyperparameters": {"max_depth": 2}, "mean": 0.71, "std": 0.01, "seconds": 1.0},
        {"n": 1, "hyperparameters": {"max_depth": 3}, "mean": 0.83, "std": 0.02, "seconds": 1.0},
        {"n": 2, "hyperparameters": {"max_depth": 4}, "mean": None, "std": None, "seconds": 0.1},
    ],
}  # fmt: skip


def test_a_search_is_drawn_with_its_best_try_first() -> None:
    html = evaluation.render(judged.score(), search=SEARCH)
    assert html.index("0.830") < html.index("0.710")
    assert "random, seed 3, 3 tries, of which 1 could not be fitted" in html
    assert outline(html).drawings == outline(drawn("score")).drawings + 1


def test_without_a_search_nothing_is_said_of_one() -> None:
    assert "Search of hyperparameters" not in evaluation.render(judged.score(), search=None)
