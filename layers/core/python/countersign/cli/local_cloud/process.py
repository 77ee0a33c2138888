"""Start, find and stop the emulator's process; nothing here knows what is deployed in it."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from countersign.cli.local_cloud.certificate import ensure_certificate
from countersign.cli.local_cloud.environment import emulator_environment, ensure_environments
from countersign.cli.local_cloud.settings import (
    FAILED,
    PORT_TAKEN,
    CloudSettings,
    LocalCloudError,
)

LAUNCHER = Path(__file__).with_name("launcher.py")
START_SECONDS = 30.0
STOP_SECONDS = 1.0
_STARTED: dict[int, "subprocess.Popen[bytes]"] = {}


def start(settings: CloudSettings) -> bool:
    """Start the emulator and wait until it answers; False when it was already running."""
    with _alone(settings):
        if running(settings):
            return False
        if answers(settings.port):
            raise LocalCloudError(
                f"port {settings.port} is taken by another program; stop it, or choose a free "
                f"port, as in COUNTERSIGN_PORT={settings.port + 1} make up",
                PORT_TAKEN,
            )
        _clear(settings)
        emulator, functions = ensure_environments(settings)
        ensure_certificate(settings.ca_bundle.parent)
        (settings.directory / "tmp").mkdir(parents=True)
        with settings.emulator_log.open("wb") as log:
            process = subprocess.Popen(
                [str(emulator), "-I", "-u", str(LAUNCHER)],
                env=emulator_environment(settings, functions),
                cwd=settings.directory / "tmp",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _STARTED[process.pid] = process
        _write_record(settings, process.pid)
        _await_health(settings, process)
    return True


def running(settings: CloudSettings) -> dict[str, Any] | None:
    """The record of the cloud that runs from this folder, or None."""
    try:
        record: dict[str, Any] = json.loads(settings.record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if _is_ours(record) else None


def stop(settings: CloudSettings) -> bool:
    """Stop the emulator, its workers and their temporary folders; False when nothing ran."""
    with _alone(settings):
        record = running(settings)
        if record:
            _end(int(record["pid"]))
        _clear(settings)
    return record is not None


def health(endpoint: str, ca_bundle: Path) -> dict[str, Any] | None:
    """What the emulator says about itself, or None when nothing (of ours) answers."""
    try:
        context = ssl.create_default_context(cafile=str(ca_bundle))
        with urllib.request.urlopen(  # noqa: S310  (our own https endpoint)
            f"{endpoint}/_ministack/health", timeout=2, context=context
        ) as answer:
            said: dict[str, Any] = json.load(answer)
            return said
    except (OSError, ValueError, urllib.error.URLError):
        return None


def answers(port: int) -> bool:
    """Whether anything listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_health(settings: CloudSettings, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            settings.record.unlink(missing_ok=True)
            raise LocalCloudError(f"the emulator did not start: {_last_line(settings)}", FAILED)
        if health(settings.endpoint, settings.ca_bundle):
            return
        time.sleep(0.05)
    _end(process.pid)
    settings.record.unlink(missing_ok=True)
    raise LocalCloudError(
        f"the emulator did not answer within {START_SECONDS:.0f} s; see {settings.emulator_log}"
    )


def _last_line(settings: CloudSettings) -> str:
    lines = settings.emulator_log.read_text(encoding="utf-8", errors="replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return said[-1] if said else f"see {settings.emulator_log}"


def _write_record(settings: CloudSettings, pid: int) -> None:
    record = {
        "pid": pid,
        "born": _born(pid),
        "port": settings.port,
        "endpoint": settings.endpoint,
        "ca_bundle": str(settings.ca_bundle),
        "wait_scale": settings.wait_scale,
    }
    settings.record.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _born(pid: int) -> str:
    """When this process started, or empty when there is none: a PID alone may have been reused."""
    with contextlib.suppress(OSError):
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if state in "ZX" else rest[18]
    if Path("/proc/self/stat").exists():
        return ""
    ps = ["ps", "-o", "lstart=", "-p", str(pid)]
    return subprocess.run(ps, capture_output=True, text=True, check=False).stdout.strip()


def _is_ours(record: dict[str, Any]) -> bool:
    born = _born(int(record["pid"]))
    return bool(born) and born == record["born"]


def _end(pid: int) -> None:
    """End the emulator and its workers, who share its session.

    It is given a second to leave by itself and no more: open connections would keep it for long,
    and nothing of it outlives its memory anyway.
    """
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline and alive(pid):
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    while alive(pid):
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether this process still runs; one that we started ourselves is collected when it ended."""
    if pid in _STARTED and _STARTED[pid].poll() is not None:
        del _STARTED[pid]
    return bool(_born(pid))


def _clear(settings: CloudSettings) -> None:
    """Forget a cloud that is gone: its state lived in memory, so its outputs describe nothing."""
    shutil.rmtree(settings.directory / "tmp", ignore_errors=True)
    settings.record.unlink(missing_ok=True)
    settings.outputs.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(settings: CloudSettings) -> Iterator[None]:
    """One start or stop at a time in a folder."""
    settings.directory.mkdir(parents=True, exist_ok=True)
    with (settings.directory / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
