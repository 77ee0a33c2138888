"""The files that a build reads of its sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from countersign.aws.lake import Lake
from countersign.declare import FeatureView
from countersign.features import duck


def load_sources(
    connection: Any, lake: Lake, view: FeatureView, files: Mapping[str, Iterable[str]], place: Path
) -> None:
    """Make every source of `view` readable in the session."""
    for source in view.sources():
        paths = lake.download(files[source.name], place / source.name)
        duck.register_source(connection, source, paths)


def load_news(
    connection: Any, lake: Lake, view: FeatureView, news: Mapping[str, Sequence[str]], place: Path
) -> dict[str, str]:
    """Make files that the last build had not read readable by themselves; the relations by source."""
    relations = {}
    for source in view.sources():
        if not news.get(source.name):
            continue
        apart = replace(source, name=f"{source.name}_news")
        paths = lake.download(news[source.name], place / apart.name)
        duck.register_source(connection, apart, paths)
        relations[source.name] = duck.source_relation(apart)
    return relations
