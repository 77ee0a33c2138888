"""Where a local cloud lives and how it is reached; and the one-line errors of its commands."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

REGION = "us-east-1"
ROOT_KEYS = ("test", "test")
ROLES = (
    "ml-engineer",
    "data-scientist",
    "team-lead",
    "bsa-officer",
    "operator",
    "auditor",
    "scoring-client",
)

FAILED = 1
USAGE = 2
PORT_TAKEN = 3
NOT_RUNNING = 4
MISSING = 5


class LocalCloudError(Exception):
    """One line for a person; `code` is what the command exits with."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def checkout() -> Path:
    """The project's folder; the local cloud needs `app.py` and `infra/`, which no wheel carries."""
    root = Path(__file__).resolve().parents[6]
    if not (root / "infra" / "emulator" / "pyproject.toml").is_file():
        raise LocalCloudError("the local cloud runs from a checkout of the project", MISSING)
    return root


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSettings:
    """One local cloud: its port and its folder. Two with different ones don't meet."""

    port: int = 4566
    directory: Path
    wait_scale: float = 0.0
    app: str | None = None
    root: Path = field(default_factory=checkout)

    @property
    def endpoint(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_bundle(self) -> Path:
        return self.directory / "tls" / "ca.pem"

    @property
    def record(self) -> Path:
        return self.directory / "cloud.json"

    @property
    def outputs(self) -> Path:
        return self.directory / "outputs.json"

    @property
    def emulator_log(self) -> Path:
        return self.directory / "emulator.log"

    @property
    def deploy_log(self) -> Path:
        return self.directory / "deploy.log"


def from_environment(environ: Mapping[str, str] = os.environ) -> CloudSettings:
    """COUNTERSIGN_PORT, COUNTERSIGN_LOCAL_DIR, COUNTERSIGN_WAIT_SCALE and COUNTERSIGN_CDK_APP."""
    root = checkout()
    return CloudSettings(
        port=_number(environ, "COUNTERSIGN_PORT", 4566, lowest=1, highest=65535),
        directory=Path(environ.get("COUNTERSIGN_LOCAL_DIR") or root / "build" / "local").resolve(),
        wait_scale=_fraction(environ, "COUNTERSIGN_WAIT_SCALE", 0.0),
        app=environ.get("COUNTERSIGN_CDK_APP") or None,
        root=root,
    )


def _number(environ: Mapping[str, str], name: str, usual: int, *, lowest: int, highest: int) -> int:
    text = environ.get(name) or str(usual)
    if not text.isdigit() or not lowest <= int(text) <= highest:
        raise LocalCloudError(f"{name} is a number from {lowest} to {highest}", USAGE)
    return int(text)


def _fraction(environ: Mapping[str, str], name: str, usual: float) -> float:
    try:
        value = float(environ.get(name) or usual)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise LocalCloudError(f"{name} is a number from 0 (no waiting) to 1 (real time)", USAGE)
    return value
