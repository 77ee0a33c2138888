"""Reports: whole, self-contained, deterministic, safe, and readable when parts are missing."""

from __future__ import annotations

import copy
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from countersign.reports import drift, evaluation, page, plots

from tests.unit.reports import documents

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Outline(HTMLParser):
    """Checks that tags nest, and collects headings, texts, links and badges."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.text: list[str] = []
        self.outside: list[str] = []
        self.drawings = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.outside += [
            v
            for k, v in found.items()
            if k in {"src", "href", "xlink:href"} and v and not v.startswith("#")
        ]
        self.outside += [tag] if tag in {"script", "link", "iframe"} else []
        self.drawings += tag == "svg" and found.get("role") == "img" and bool(found["aria-label"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self.open and self.open[-1] in {"h1", "h2"}:
            self.headings.append(data)


def outline(html: str) -> Outline:
    found = Outline()
    found.feed(html)
    assert found.open == []
    return found


def only(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: document[name] for name in names}


EVALUATION = documents.evaluation()
DRIFT = documents.drift_record()


def test_an_evaluation_has_every_section_and_every_drawing() -> None:
    found = outline(evaluation.render(EVALUATION))
    assert found.headings[1:] == [
        "Gates",
        "Metrics",
        "Plots",
        "Threshold and cost",
        "Feature importance",
        "Fairness",
        "Model against rules",
        "Dataset and lineage",
    ]
    assert found.drawings == 8
    assert found.outside == []


def test_a_failed_gate_is_named_in_the_verdict() -> None:
    html = evaluation.render(
        {**PLAIN, **only(documents.evaluation(passed=False), "gates", "passed")}
    )
    assert "REJECTED</span> Held back by Recall, which is 0." in html
    assert "and must be at least 0.990" in html
    assert '<span class="badge bad">failed</span>' in html


def test_synthetic_data_is_said_at_the_top() -> None:
    assert "synthetic data" in evaluation.render(PLAIN).split("</header>")[0]


def test_a_drift_report_has_the_numbers_behind_every_verdict() -> None:
    found = outline(drift.render(DRIFT))
    text = " ".join(found.text)
    worst = DRIFT["features"][0]
    for shown in (
        worst["psi"],
        worst["critical"],
        worst["psi_evidently"],
        worst["psi_equal_width"],
    ):
        assert page.number(shown) in text
    for header in ("PSI", "Critical", "p", "n", "m", "B", "As Evidently", "Equal width"):
        assert header in found.text
    assert found.drawings == len(DRIFT["features"]) + 1
    assert found.outside == []


def test_features_are_ranked_as_the_record_ranks_them() -> None:
    html = drift.render(DRIFT)
    places = [html.index(f">{row['feature']}<") for row in DRIFT["features"]]
    assert places == sorted(places)


@pytest.mark.parametrize("rows", [0, 1, 40])
def test_a_week_without_enough_rows_still_has_a_report(rows: int) -> None:
    html = drift.render(documents.drift_record(rows))
    outline(html)
    assert "insufficient data" in html


def test_a_week_without_a_baseline_still_has_a_report() -> None:
    unjudged: dict[str, Any] = {
        **DRIFT, "status": "insufficient data", "reason": "no baseline is stored", "features": [],
        "score": None, "levels": None, "drifted": [], "watched": [], "dataset_drift": False,
    }  # fmt: skip
    assert "No baseline is stored" in drift.render(unjudged)


DRAWN = ("roc", "pr", "calibration", "score_histogram", "importance", "confusion", "threshold")
PLAIN = {name: part for name, part in EVALUATION.items() if name not in DRAWN}


@pytest.mark.parametrize("part", ["fairness", "rules_comparison", "model", "split", "schema"])
def test_an_evaluation_without_a_part_says_so_and_stands(part: str) -> None:
    found = outline(evaluation.render({k: v for k, v in PLAIN.items() if k != part}))
    assert found.drawings == (0 if part == "fairness" else 1)
    assert "No curves were recorded." in found.text


def test_unknown_numbers_are_dashes() -> None:
    document = copy.deepcopy(PLAIN)
    document["metrics"]["precision"] = {"value": None, "low": None, "high": None}
    document["gates"][0]["value"] = None
    assert page.UNKNOWN in evaluation.render(document)


def test_names_cannot_inject_markup() -> None:
    document = documents.evaluation()
    document["use_case"] = document["importance"][0]["feature"] = '<img src=x onerror="alert(1)">'
    document["fairness"]["groups"]["country"]["rows"][0]["value"] = "<script>alert(1)</script>"
    found = outline(evaluation.render(document))
    assert found.outside == []
    drifted = documents.drift_record()
    drifted["features"][0]["feature"] = '"><script>alert(1)</script>'
    assert outline(drift.render(drifted)).outside == []


def test_the_same_document_gives_the_same_bytes_and_few_of_them() -> None:
    html = evaluation.render(EVALUATION)
    assert html == evaluation.render(EVALUATION)
    assert len(html.encode()) < 500_000


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (12345, "12\u202f345"),
        (0.12345, "0.123"),
        (1e-9, "1.0e-09"),
        (0.0, "0.000"),
    ],
)
def test_numbers_are_short(value: float | None, shown: str) -> None:
    assert page.number(value) == shown


def test_drawings_are_inline_svg_with_words() -> None:
    svg = plots.roc([[0, 0], [0.1, 0.8], [1, 1]], 0.85)
    assert re.match(r'<svg role="img" aria-label="ROC curve, area 0\.850"', svg)
    assert "<text" in svg
