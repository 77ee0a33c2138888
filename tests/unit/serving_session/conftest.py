from __future__ import annotations

import pytest

from tests.unit.serving_session.artifacts import artifacts, served_files

__all__ = ["artifacts"]


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    return served_files()
