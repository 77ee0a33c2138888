"""The weekly drift report: one HTML page from the record that `monitor` wrote (`monitoring.drift.compare`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from countersign.reports import page, plots

MOST_DRAWN = 30
TO_DO = {
    "alert": (
        "Look at the features in the order below: the first explain most.",
        "First suspect the data: a source that is late or changed its unit, a new null, an unseen category.",
        "If the data are right, the world has changed: a data scientist approves the proposed retraining, or not.",
        "If the scores moved more than three standard deviations, consider a rollback: it needs no retraining.",
    ),
    "watch": (
        "Nothing to do yet: compare with last week's report.",
        "A feature that is watched two weeks in a row deserves a look at its source.",
    ),
    "insufficient data": (
        "No conclusion can be drawn, in either direction: see the rows it would take.",
        "If there should have been predictions, check the volume and the archive.",
    ),
    "stable": ("Nothing to do.",),
}


def render(document: Mapping[str, Any]) -> str:
    """The HTML of a week's drift record."""
    return page.page(
        f"Drift of {document['use_case']} {document['version']}, {document['week']}",
        subtitle=f"{document['from']} to {document['to']}"
        + ("" if document["complete"] else ", the week so far")
        + f" · {page.number(document['n'])} predictions against {page.number(document['m'])} training rows",
        body=[
            page.banner(document["status"], _sentence(document)),
            page.section("What to do", page.listing(TO_DO[document["status"]], ordered=True)),
            _ranked(document),
            _moved(document),
            _histograms(document),
            _method(document),
        ],
        footer=f"Countersign. Computed {page.moment(document['computed_at'])}. Informational: drift proposes, and never "
        "starts, a retraining.",
    )


def _sentence(document: Mapping[str, Any]) -> str:
    if not document["features"]:
        return f"{document['reason'].capitalize()}."
    drifted, watched = len(document["drifted"]), len(document["watched"])
    parts = [
        document["reason"],
        f"{drifted} of {len(document['features'])} features alert and {watched} are watched",
    ]
    if document["dataset_drift"]:
        parts.append("so many at once make it dataset drift")
    return "; ".join(parts) + "."


def _rows(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    score = document.get("score")
    return [*([score] if score else []), *document["features"]]


def _ranked(document: Mapping[str, Any]) -> Markup:
    rows = [
        (
            _name(row),
            page.badge(row["verdict"]),
            row["psi"],
            row["critical"],
            page.probability(row["p"]),
            row["n"],
            row["m"],
            row["bins"],
            row["psi_evidently"],
            row["psi_equal_width"],
            row["needed"],
        )
        for row in _rows(document)
    ]
    headers = [
        "Feature", "Verdict", "PSI#", "Critical#", "p#", "n#", "m#", "B#", "As Evidently#",
        "Equal width#", "Rows needed#",
    ]  # fmt: skip
    return page.section(
        "Features in the order to look",
        page.table(headers, rows),
        note="The score first, then features by verdict and PSI. n: rows of the week, m: rows of training, "
        "B: bins in use. An alert needs a PSI at the level and above its critical value; p is the chance of "
        "such a PSI without any drift.",
    )


def _name(row: Mapping[str, Any]) -> Markup:
    return page.code("score of the model" if row["feature"] == "score" else row["feature"])


def _moved(document: Mapping[str, Any]) -> Markup:
    rows = [
        (
            _name(row),
            _change(page.number(row.get("mean_reference")), page.number(row.get("mean"))),
            row.get("mean_shift_std"),
            _change(page.percent(row["null_share_reference"]), page.percent(row["null_share"])),
            page.percent(row["unseen_share"]),
            row["ks_d"],
            page.probability(row["chi_square_p"]),
            row["js_distance"],
            row.get("wasserstein_scaled"),
            row["kl_current_from_reference"],
        )
        for row in _rows(document)
    ]
    headers = [
        "Feature", "Mean, then → now#", "Shift / std#", "Null, then → now#", "Unseen#", "KS D#",
        "Chi-square p#", "JS#", "W / std#", "KL#",
    ]  # fmt: skip
    return page.section(
        "How they moved",
        page.table(headers, rows),
        note="KS and the divergences are taken over the frozen bins. JS: the Jensen–Shannon distance (square "
        "root), base 2. W / std: Wasserstein over the training deviation. KL: of the current shares from the "
        "training shares, in nats.",
    )


def _change(then: str, now: str) -> str:
    return f"{then} → {now}"


def _histograms(document: Mapping[str, Any]) -> Markup:
    rows = _rows(document)
    figures = [
        page.figure(
            plots.reference_and_current(row["feature"], row["histogram"]),
            f"{row['feature']}: {row['reason']}",
        )
        for row in rows[:MOST_DRAWN]
        if row["histogram"]["labels"]
    ]
    if not figures:
        return page.section("Histograms", page.paragraph("No rows to draw."))
    note = "Share of rows per frozen bin, in training and now."
    if len(rows) > MOST_DRAWN:
        note += f" The first {MOST_DRAWN} of {len(rows)}."
    return page.section("Histograms", page.grid(figures), note=note)


def _method(document: Mapping[str, Any]) -> Markup:
    levels = document.get("levels") or {}
    return page.section(
        "How this was measured",
        page.paragraph(
            "PSI over bins frozen with the model (training deciles, one bin for null, one for what was never "
            "seen), with shares (k + ½) / (n + B/2). Without drift PSI follows (1/n + 1/m) · χ² with B − 1 degrees "
            "of freedom; below 50 rows a seeded permutation takes its place. Over all features the false "
            "discovery rate is held by Benjamini and Hochberg. Two other conventions are shown so that tools "
            "can be compared; equal widths are blind once one extreme value stretches them."
        ),
        page.facts(
            {
                "watch at PSI": levels.get("watch"),
                "alert at PSI": levels.get("alert"),
                "error rate": levels.get("alpha"),
                "baseline": page.code(document["inputs"]["baseline_key"]),
                "predictions digest": page.code(document["inputs"]["digest"]),
            }
        ),
    )
