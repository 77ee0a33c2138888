"""Run the real CDK CLI against a local cloud: progress on the screen, everything in deploy.log."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from countersign.cli.local_cloud.settings import (
    FAILED,
    MISSING,
    REGION,
    ROOT_KEYS,
    CloudSettings,
    LocalCloudError,
)

ACCOUNT = "000000000000"
WORTH_SAYING = re.compile(
    r"(: deploying\.\.\.|✅|❌|Synthesis time|Deployment time|Bundling asset)"
)
WORTH_BLAMING = re.compile(r"(❌|\bError\b|failed)", re.IGNORECASE)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
Say = Callable[[str], None]


def bootstrap(settings: CloudSettings, say: Say) -> None:
    """Give the CDK its asset bucket and roles; away from cdk.json, or it would build the app."""
    _cdk(settings, say, ["bootstrap", f"aws://{ACCOUNT}/{REGION}"], where=settings.directory)


def deploy(settings: CloudSettings, say: Say) -> None:
    """Every stack of the environment `local`."""
    say("building layers and templates; with nothing built yet this takes minutes")
    _cdk(
        settings,
        say,
        [
            *("deploy", "--all", "--require-approval", "never", "--method", "direct"),
            *("--concurrency", "2", "--asset-build-concurrency", "2", "--progress", "events"),
            *("--output", str(settings.directory / "cdk.out")),
            *("--outputs-file", str(settings.directory / "cdk-outputs.json")),
            *_app(settings),
        ],
    )


def destroy(settings: CloudSettings, say: Say) -> None:
    """Take every stack of the environment `local` away again."""
    output = ["--output", str(settings.directory / "cdk.out")]
    _cdk(settings, say, ["destroy", "--all", "--force", *output, *_app(settings)])


def _app(settings: CloudSettings) -> list[str]:
    chosen = ["--app", settings.app] if settings.app else []
    return ["--context", "env=local", *chosen]


def _cdk(
    settings: CloudSettings, say: Say, arguments: list[str], *, where: Path | None = None
) -> None:
    program = settings.root / "node_modules" / ".bin" / "cdk"
    if not program.exists():
        raise LocalCloudError("the CDK CLI is not installed; run `make setup` first", MISSING)
    quiet = ["--no-notices", "--no-version-reporting", "--no-color", "--ci"]
    with (
        settings.deploy_log.open("a", encoding="utf-8") as log,
        subprocess.Popen(
            [str(program), *arguments, *quiet],
            cwd=where or settings.root,
            env=_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        blame = _follow(process.stdout, log, say)
        code = process.wait()
    if code:
        reason = blame or f"it exited with {code}"
        raise LocalCloudError(f"cdk {arguments[0]}: {reason}; see {settings.deploy_log}", FAILED)


def _follow(lines: IO[str], log: IO[str], say: Say) -> str:
    """Copy every line to the log, say those worth saying, and return the first that blames."""
    blame = ""
    for raw in lines:
        line = COLOURS.sub("", raw).rstrip()
        print(line, file=log, flush=True)
        if WORTH_SAYING.search(line):
            say(line.strip())
        if not blame and WORTH_BLAMING.search(line):
            blame = line.strip()[:300]
    return blame


def _environment(settings: CloudSettings) -> dict[str, str]:
    """What this process sees, with one AWS in it: the local one."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("AWS_", "CDK_")) and key not in {"VIRTUAL_ENV", "PYTHONHOME"}
    }
    access_key, secret_key = ROOT_KEYS
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "AWS_ENDPOINT_URL": settings.endpoint,
        "AWS_CA_BUNDLE": str(settings.ca_bundle),
        "NODE_EXTRA_CA_CERTS": str(settings.ca_bundle),
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DEFAULT_ACCOUNT": ACCOUNT,
        "CDK_DEFAULT_REGION": REGION,
        "CDK_HOME": str(settings.directory / "cdk-home"),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
