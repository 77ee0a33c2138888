"""The emulator's two isolated environments, and the clean environment its process gets."""

import os
import subprocess
import sys
from pathlib import Path

from countersign.cli.local_cloud.settings import MISSING, REGION, CloudSettings, LocalCloudError

KEPT = ("HOME", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")


def ensure_environments(settings: CloudSettings) -> tuple[Path, Path]:
    """The interpreters of the emulator and of its functions, made from the lock file when needed."""
    return (
        _synced(settings.root, "emulator", ["--no-default-groups"]),
        _synced(settings.root, "functions", ["--only-group", "functions"]),
    )


def _synced(root: Path, name: str, choice: list[str]) -> Path:
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        raise LocalCloudError("uv is not in this environment; run `make setup` first", MISSING)
    where = root / "build" / name
    project = root / "infra" / "emulator"
    command = [uv, "sync", "--frozen", "--quiet", "--project", project, "--python", sys.executable]
    done = subprocess.run(
        [*map(str, command), *choice],
        env={
            **{key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"},
            "UV_PROJECT_ENVIRONMENT": str(where),
            "UV_COMPILE_BYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise LocalCloudError(f"uv could not make build/{name}: {said[-1].strip()}", MISSING)
    return where / "bin" / "python"


def emulator_environment(settings: CloudSettings, functions: Path) -> dict[str, str]:
    """All that the emulator sees of this machine; its functions inherit it."""
    temporary = settings.directory / "tmp"
    return {
        **{key: os.environ[key] for key in KEPT if key in os.environ},
        "PATH": os.pathsep.join(["/usr/local/bin", "/usr/bin", "/bin"]),
        "TMPDIR": str(temporary),
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(settings.port),
        "MINISTACK_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": settings.endpoint,
        "AWS_CA_BUNDLE": str(settings.ca_bundle),
        "SSL_CERT_FILE": str(settings.ca_bundle),
        "AWS_EC2_METADATA_DISABLED": "true",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(settings.ca_bundle.with_name("server.pem")),
        "MINISTACK_SSL_KEY": str(settings.ca_bundle.with_name("server.key")),
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": f"unix://{temporary}/no-docker.sock",
        "SFN_WAIT_SCALE": str(settings.wait_scale),
        "COUNTERSIGN_FUNCTION_PYTHON": str(functions),
    }
