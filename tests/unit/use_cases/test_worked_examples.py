"""Every feature of every served use case has a worked example in this folder, or beside its importer."""

from __future__ import annotations

from pathlib import Path

import pytest
from countersign import use_cases
from countersign.declare import FeatureView, UseCase

USE_CASES = list(use_cases.all_use_cases().values())
VIEWS = list({view.name: view for case in USE_CASES for view in case.views}.values())
HERE = Path(__file__).parent
FOLDERS = (HERE, HERE.parent / "importers")
WORKED = "".join(
    path.read_text() for folder in FOLDERS for path in sorted(folder.glob("test_*.py"))
)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_view_feature_is_worked_by_hand(view: FeatureView) -> None:
    assert not [f.name for f in view.features if f'"{f.name}"' not in WORKED]


@pytest.mark.parametrize("case", USE_CASES, ids=lambda case: case.name)
def test_every_request_feature_is_worked_by_hand(case: UseCase) -> None:
    assert not [f.name for f in case.request_features if f'"{f.name}"' not in WORKED]
