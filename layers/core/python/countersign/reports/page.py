"""The skeleton of every report: one file, styles inside, readable on screen and on paper, no script."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

UNKNOWN = "–"
TONES = {
    "PASS": "good", "passed": "good", "stable": "good", "normal": "good",
    "FAIL": "bad", "failed": "bad", "REJECTED": "bad", "alert": "bad",
    "watch": "warn", "suspicious": "warn", "flagged": "warn", "critical": "calm", "leak": "bad", "skewed": "bad",
    "proven": "good", "INSUFFICIENT": "calm", "insufficient data": "calm",
}  # fmt: skip

STYLE = """
:root { --ink: #1c2430; --soft: #5a6675; --line: #d9dee5; --wash: #f5f7fa; --accent: #1f5fa8; --paper: #fff;
  --good: #1b6b34; --good-wash: #eaf6ee; --bad: #a1221b; --bad-wash: #fdecea; --warn: #8a5300; --warn-wash: #fff4e0;
  --calm: #4a5563; --calm-wash: #eef1f5; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --soft: #a3adba; --line: #38414d; --wash: #1d232b;
  --accent: #7fb2ea; --paper: #14181d; --good: #7fd39a; --good-wash: #17301f; --bad: #ff9a92; --bad-wash: #3a1b19;
  --warn: #f2bd6b; --warn-wash: #37290f; --calm: #b4bfcc; --calm-wash: #262d36; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1.5rem 4rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; }
p { margin: .5rem 0; max-width: 46rem; }
header p, .note, figcaption, caption { color: var(--soft); }
.note, figcaption { font-size: .875rem; }
.badge { display: inline-block; padding: .05rem .55rem; border-radius: 1rem; font-weight: 600; font-size: .875em;
  border: 1px solid currentColor; white-space: nowrap; }
.good { color: var(--good); background: var(--good-wash); } .bad { color: var(--bad); background: var(--bad-wash); }
.warn { color: var(--warn); background: var(--warn-wash); } .calm { color: var(--calm); background: var(--calm-wash); }
.banner { border-left: .3rem solid; padding: .75rem 1rem; margin: 1rem 0; border-radius: .25rem; max-width: none; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .8125rem; font-variant-numeric: tabular-nums; margin: .5rem 0; }
caption { text-align: left; padding-bottom: .35rem; font-size: .875rem; }
th, td { padding: .3rem .6rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { background: var(--wash); border-bottom: 2px solid var(--line); white-space: nowrap; }
tbody th { font-weight: 600; white-space: nowrap; }
.n { text-align: right; white-space: nowrap; }
.mono { font-family: ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace; font-size: .9em; overflow-wrap: anywhere; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1.25rem; }
figure { margin: 0; break-inside: avoid; } .grid > figure { max-width: 34rem; } section > figure { max-width: 44rem; } figure svg { width: 100%; height: auto; display: block; }
figure svg text { font-family: inherit !important; }
figure svg { background: #fff; border-radius: .35rem; }
@media (prefers-color-scheme: dark) { figure svg { filter: invert(.9) hue-rotate(180deg); } }
@media (max-width: 40rem) { body { padding: 1.25rem 1rem 2.5rem; } h1 { font-size: 1.35rem; } .grid { grid-template-columns: 1fr; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin: 0 0 .4rem; } th, td { padding: .3rem .4rem; }
  tbody th { position: sticky; left: 0; background: var(--paper); white-space: normal; overflow-wrap: anywhere; min-width: 7rem; max-width: 9rem; }
  td:not(.n) { min-width: 9rem; } section > figure { max-width: none; overflow-x: auto; } section > figure svg { min-width: 32rem; } }
.spark { fill: var(--accent); stroke: none; vertical-align: middle; } .spark polyline { fill: none; stroke: var(--accent); stroke-width: 1.4; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; font-size: .9375rem; margin: .5rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
ol, ul { max-width: 46rem; padding-left: 1.4rem; } li { margin: .25rem 0; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .875rem; }
@media print { :root { color-scheme: light; } figure svg { filter: none; } body { max-width: none; padding: 0; font-size: 11pt; } h2, h3 { break-after: avoid; } tr { break-inside: avoid; }
  .scroll { overflow: visible; } table { font-size: 7.5pt; } th, td { padding: .15rem .35rem; } .n, thead th, tbody th { white-space: normal; }
  .badge, .banner, thead th { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""

_PAGE = Markup(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{subtitle}</p>
</header>
<main>
{body}
</main>
<footer>{footer}</footer>
</body>
</html>
"""
)


def page(title: str, *, subtitle: str | Markup, body: Iterable[Markup], footer: str) -> str:
    """A whole document. Texts are escaped; `body` is made by the functions of this module."""
    return str(
        _PAGE.format(
            title=title,
            style=Markup(STYLE),  # noqa: S704 - a constant of this file
            subtitle=subtitle,
            body=join(body, "\n"),
            footer=footer,
        )
    )


def join(parts: Iterable[Markup], separator: str = "") -> Markup:
    """Parts in a row."""
    return Markup(separator).join(parts)  # noqa: S704 - separators are literals of the callers


def section(title: str, *parts: Markup, note: str = "") -> Markup:
    """A titled part of the page, with a note under the title that says how to read it."""
    said = Markup('<p class="note">{}</p>').format(note) if note else Markup()
    return Markup("<section>\n<h2>{}</h2>\n{}{}\n</section>").format(title, said, join(parts, "\n"))


def paragraph(text: str | Markup) -> Markup:
    """One paragraph."""
    return Markup("<p>{}</p>").format(text)


def banner(verdict: str, text: str) -> Markup:
    """The verdict of the page, with its reason."""
    return Markup('<p class="banner {}">{} {}</p>').format(tone(verdict), badge(verdict), text)


def badge(verdict: str) -> Markup:
    """A verdict in its colour; the word itself says it too."""
    return Markup('<span class="badge {}">{}</span>').format(tone(verdict), verdict)


def tone(verdict: str) -> str:
    """The colour class of a verdict."""
    return TONES.get(verdict, "calm")


def code(text: Any) -> Markup:
    """A name or digest, in fixed width."""
    return Markup('<span class="mono">{}</span>').format(text)


def facts(pairs: Mapping[str, Any]) -> Markup:
    """Names and values, one per line; unknown values are shown as a dash."""
    lines = [Markup("<dt>{}</dt><dd>{}</dd>").format(name, shown(v)) for name, v in pairs.items()]
    return Markup("<dl>{}</dl>").format(join(lines))


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]], *, caption: str = "") -> Markup:
    """A table whose first column names the row. A header that ends in # is a column of numbers."""
    numeric = [header.endswith("#") for header in headers]
    head = join(
        Markup('<th scope="col"{}>{}</th>').format(
            Markup(' class="n"') if right else "", header.rstrip("#")
        )
        for header, right in zip(headers, numeric, strict=True)
    )
    body = join((_row(row, numeric) for row in rows), "\n")
    said = Markup("<caption>{}</caption>").format(caption) if caption else Markup()
    return Markup(
        '<div class="scroll"><table>{}<thead><tr>{}</tr></thead><tbody>\n{}\n</tbody></table></div>'
    ).format(said, head, body)


def _row(cells: Sequence[Any], numeric: Sequence[bool]) -> Markup:
    made = [Markup('<th scope="row">{}</th>').format(shown(cells[0]))]
    for cell, right in zip(cells[1:], numeric[1:], strict=True):
        made.append(
            Markup("<td{}>{}</td>").format(Markup(' class="n"') if right else "", shown(cell))
        )
    return Markup("<tr>{}</tr>").format(join(made))


def figure(svg: str, caption: str = "") -> Markup:
    """A drawing from `reports.plots`, with what it shows."""
    said = Markup("<figcaption>{}</figcaption>").format(caption) if caption else Markup()
    return Markup("<figure>{}{}</figure>").format(Markup(svg), said)  # noqa: S704 - drawn by us


def grid(figures: Iterable[Markup]) -> Markup:
    """Figures side by side where there is room."""
    return Markup('<div class="grid">{}</div>').format(join(figures, "\n"))


def listing(items: Iterable[str | Markup], *, ordered: bool = False) -> Markup:
    """A list."""
    tag = Markup("ol") if ordered else Markup("ul")
    lines = join(Markup("<li>{}</li>").format(item) for item in items)
    return Markup("<{}>{}</{}>").format(tag, lines, tag)


def shown(value: Any) -> Markup:
    """A value as a reader wants it: markup as it is, numbers short, unknown as a dash."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, bool):
        return escape("yes" if value else "no")
    if value is None:
        return escape(UNKNOWN)
    if isinstance(value, float | int):
        return escape(number(value))
    return escape(value)


def number(value: float | None, digits: int = 3) -> str:
    """Whole numbers with thin thousands, others to `digits` decimals, tiny ones with an exponent."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if isinstance(value, int) or (value == int(value) and abs(value) >= 1) or abs(value) >= 1_000:
        return f"{round(value):,}".replace(",", "\u202f")
    if 0 < abs(value) < 10**-digits:
        return f"{value:.1e}"
    return f"{value:.{digits if abs(value) < 100 else 1}f}"


def probability(p: float | None) -> str:
    """A p-value; below a millionth its digits mean nothing."""
    return "< 1e-6" if p is not None and p < 1e-6 else number(p)


def moment(text: str | None) -> str:
    """`2026-11-21 06:02 UTC` of an ISO-8601 text in UTC; a date alone stays as it is."""
    if not text:
        return UNKNOWN
    return f"{text[:10]} {text[11:16]} UTC" if len(text) > 16 else text


def percent(value: float | None, digits: int = 1) -> str:
    """A share as a percentage."""
    return UNKNOWN if value is None else f"{value * 100:.{digits}f} %"


def interval(figures: Mapping[str, float | None] | None, *, as_percent: bool = False) -> str:
    """`value [low, high]`, or a dash where nothing is known."""
    if not figures or figures.get("value") is None:
        return UNKNOWN
    show = percent if as_percent else number
    if figures.get("low") is None or figures.get("high") is None:
        return show(figures["value"])
    low, high = show(figures["low"]).removesuffix(" %"), show(figures["high"]).removesuffix(" %")
    return f"{show(figures['value'])} [{low}, {high}]"
