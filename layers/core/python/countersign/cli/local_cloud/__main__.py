"""`python -m countersign.cli.local_cloud up|down|deploy|destroy|status|logs`.

Exit codes: 0 done · 1 failed · 2 wrong usage · 3 port taken · 4 not running · 5 something is not installed.
"""

import json
import sys
import time
from dataclasses import asdict, replace
from typing import Annotated

import typer

from countersign.cli.local_cloud import cdk, logs, process, status
from countersign.cli.local_cloud.client import Cloud
from countersign.cli.local_cloud.outputs import write_outputs
from countersign.cli.local_cloud.settings import (
    NOT_RUNNING,
    USAGE,
    CloudSettings,
    LocalCloudError,
    from_environment,
)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="An emulated AWS on 127.0.0.1, deployed to with the real CDK; no Docker, no account.",
)


@app.command()
def up(
    with_deploy: Annotated[
        bool, typer.Option("--deploy", help="Also deploy, unless that was done already.")
    ] = False,
) -> None:
    """Start the local cloud, empty; say so when it already runs."""
    settings = from_environment()
    started = process.start(settings)
    settings = _running(settings)
    print(f"local cloud {'is up' if started else 'was already running'}: {settings.endpoint}")
    if with_deploy and not settings.outputs.exists():
        deploy()


@app.command()
def down() -> None:
    """Stop it. What was in it is forgotten: the state lives in memory."""
    print("local cloud is down" if process.stop(from_environment()) else "nothing was running")


@app.command()
def deploy() -> None:
    """Deploy every stack of the environment `local` and write outputs.json."""
    settings, begun = _running(from_environment()), time.monotonic()
    deploy_into(settings)
    print(f"deployed in {time.monotonic() - begun:.0f} s; described in {settings.outputs}")


@app.command()
def destroy() -> None:
    """Take the stacks away again and leave the local cloud running."""
    settings = _running(from_environment())
    cdk.destroy(settings, print)
    settings.outputs.unlink(missing_ok=True)


@app.command("status")
def show_status(
    output: Annotated[str, typer.Option(help="`table` or `json`.")] = "table",
) -> None:
    """What runs, with counts."""
    if output not in {"table", "json"}:
        raise LocalCloudError("--output is `table` or `json`", USAGE)
    settings = _running(from_environment())
    deployed = settings.outputs.exists()
    found = list(status.rows(Cloud.from_file(settings.outputs))) if deployed else []
    if output == "json":
        resources = [asdict(row) for row in found]
        print(json.dumps({"endpoint": settings.endpoint, "resources": resources}, indent=2))
        return
    print(f"local cloud runs at {settings.endpoint}")
    print(status.as_table(found) if deployed else "nothing is deployed; deploy first")


@app.command("logs")
def show_logs(
    function: Annotated[str | None, typer.Argument(help="Short name; all without it.")] = None,
    lines: Annotated[int, typer.Option(min=1, help="How many of the last lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """The last log lines of the functions, and of the emulator when no function is named."""
    settings = _running(from_environment())
    if function is None:
        print("\n".join(logs.emulator_lines(settings.emulator_log, lines)))
    if not settings.outputs.exists():
        return
    cloud = Cloud.from_file(settings.outputs)
    if function and function not in cloud.outputs["functions"]:
        raise LocalCloudError(f"no function is called {function}; `status` lists them", USAGE)
    print("\n".join(map(logs.as_text, logs.function_lines(cloud, function)[-lines:])))
    if follow:
        for line in logs.follow(cloud, function, int(time.time() * 1000)):
            print(logs.as_text(line), flush=True)


def deploy_into(settings: CloudSettings, say: cdk.Say = print) -> None:
    """Bootstrap, deploy and describe; the whole log is in deploy.log."""
    settings.deploy_log.unlink(missing_ok=True)
    cdk.bootstrap(settings, say)
    cdk.deploy(settings, say)
    write_outputs(settings)
    lock_seal(Cloud.from_file(settings.outputs))


def lock_seal(cloud: Cloud) -> None:
    """Lock the sealed heads, as the template asks: the emulator's CloudFormation drops Object Lock."""
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    if "seal" in cloud.outputs["buckets"]:
        cloud.client("s3").put_object_lock_configuration(
            Bucket=cloud.outputs["buckets"]["seal"],
            ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule},
        )


def _running(settings: CloudSettings) -> CloudSettings:
    """The settings of the cloud that runs in this folder, whatever port it took."""
    record = process.running(settings)
    if record is None:
        raise LocalCloudError("the local cloud is not running; run `make up`", NOT_RUNNING)
    return replace(settings, port=record["port"], wait_scale=record["wait_scale"])


def main(arguments: list[str] | None = None) -> int:
    """Run one command; an expected failure is one line on stderr and an exit code."""
    try:
        app(arguments)
    except LocalCloudError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.code
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
