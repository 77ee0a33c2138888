"""Start MiniStack with functions that fail the way they fail on AWS.

Run as a script by the emulator's own interpreter, so it imports nothing of ours. Each adaptation
replaces something inside MiniStack and first checks that it is still there: after an upgrade that
moved it, the local cloud refuses to start instead of quietly behaving in another way.

What is adapted, and why
- A Python exception reaches the caller under its own class name, with its stack trace, so that a
  state machine's `Catch` matches; the worker survives it. (Stock: `Runtime.HandlerError`, worker dead.)
- A module that cannot be imported is `Runtime.ImportModuleError`, and a handler that ends its
  process `Runtime.ExitError`. (Stock: `RuntimeError` and `Runtime.HandlerError`.)
- A call whose handler logs nothing waits 3 ms for late log lines. (Stock: 50 ms.)
- Functions run in the interpreter named by COUNTERSIGN_FUNCTION_PYTHON, which sees boto3 and
  nothing else. (Stock: MiniStack's own.)
- A layer is unpacked once per content and shared by all workers. (Stock: once per worker.)
- A batch of messages is authorised as the action that IAM has for it, `sqs:SendMessage`. (Stock: as
  `sqs:SendMessageBatch`, which no IAM policy can name.)
- Port 443 is left alone. (Stock: taken as well when TLS is on and the process may.)
"""

import hashlib
import os
import shutil
import sys
import tempfile
import threading
import types
import zipfile
from pathlib import Path
from typing import Any

FAILED = "_countersign_raised"
FIRST_LINE_WAIT_S = 0.003
# What MiniStack says, and the error type that Lambda has for it.
LAMBDA_TYPES = {
    "Worker init failed: ": "Runtime.ImportModuleError",
    "Worker process died": "Runtime.ExitError",
    "Worker process exited immediately": "Runtime.ExitError",
}

STOCK_RAISE = (
    '_real_stdout.write(json.dumps({"status": "error", "error": str(e), '
    '"trace": traceback.format_exc()}) + "\\n")'
)
OUR_RAISE = (
    f'_real_stdout.write(json.dumps({{"status": "ok", "result": {{"{FAILED}": '
    '{"errorType": type(e).__name__, "errorMessage": str(e), '
    '"stackTrace": traceback.format_exc().splitlines()}}}) + "\\n")'
)


class ChangedInsideError(Exception):
    """MiniStack no longer has, in the expected shape, a part that we replace."""


def expect(condition: object, what: str) -> None:
    """Refuse to start on an unknown MiniStack."""
    if not condition:
        raise ChangedInsideError(f"{what}; this launcher fits MiniStack 1.5.33")


def adapt_raised_errors(runtime: Any, service: Any) -> None:
    """Let an exception travel through the worker's protocol as a value and become an error again."""
    script = runtime._PYTHON_WORKER_SCRIPT
    expect(script.count(STOCK_RAISE) == 1, "the worker script reports exceptions in another way")
    runtime._PYTHON_WORKER_SCRIPT = script.replace(STOCK_RAISE, OUR_RAISE)
    stock = service._execute_function_warm
    expect(
        stock.__code__.co_varnames[:3] == ("func", "event", "request_id"),
        "_execute_function_warm takes other arguments",
    )

    def execute(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        return as_lambda_answers(stock(func, event, request_id), request_id)

    service._execute_function_warm = execute


def as_lambda_answers(answer: dict[str, Any], request_id: str) -> dict[str, Any]:
    """The body Lambda itself would give for this answer of a worker."""
    body = answer.get("body")
    if not isinstance(body, dict):
        return answer
    if set(body) == {FAILED}:
        raised = {**body[FAILED], "requestId": request_id}
        log = "\n".join(filter(None, [answer.get("log", ""), *raised["stackTrace"]]))
        return {"body": raised, "error": True, "log": log}
    message = str(body.get("errorMessage", ""))
    for said, error_type in LAMBDA_TYPES.items():
        if answer.get("error") and message.startswith(said):
            body["errorType"] = error_type
    return answer


def adapt_log_wait(runtime: Any) -> None:
    """Don't make a quiet handler wait for log lines that never come."""
    drain = runtime.Worker._drain_stderr_bounded
    expect(
        drain.__defaults__ == (0.050, 0.005, 0.250)
        and drain.__code__.co_varnames[1:4] == ("first_line_wait", "idle_confirm", "hard_cap"),
        "_drain_stderr_bounded waits in another way",
    )
    drain.__defaults__ = (FIRST_LINE_WAIT_S, 0.005, 0.250)


def adapt_interpreter(runtime: Any, python: str) -> None:
    """Run Python functions where only what the Lambda runtime provides can be imported."""
    stock = runtime._detect_runtime_binary
    expect(
        stock("python3.13") == (sys.executable, runtime._PYTHON_WORKER_SCRIPT),
        "_detect_runtime_binary answers another pair",
    )

    def detect(name: str) -> tuple[str, str]:
        binary, script = stock(name)
        return (python, script) if name.startswith("python") else (binary, script)

    runtime._detect_runtime_binary = detect


class SharedZip(zipfile.ZipFile):
    """A zip whose layers are unpacked once per content; later workers get a link to it."""

    shelf: Path
    lock = threading.Lock()

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
        target = Path(path)
        if not target.name.startswith("layer_"):
            super().extractall(path, members, pwd)
            return
        digest = hashlib.sha256(Path(str(self.filename)).read_bytes()).hexdigest()
        unpacked = self.shelf / digest
        with self.lock:
            if not unpacked.exists():
                fresh = Path(tempfile.mkdtemp(dir=self.shelf))
                super().extractall(fresh)
                fresh.rename(unpacked)
        target.rmdir()
        target.symlink_to(unpacked, target_is_directory=True)
        Path(str(self.filename)).unlink()


def adapt_layers(runtime: Any, shelf: Path) -> None:
    """Unpacking 200 MB for each of twenty functions would be most of a local deployment."""
    expect(runtime.zipfile is zipfile, "lambda_runtime unpacks with something else than zipfile")
    expect(
        "lzf.extractall(layer_dir)" in Path(runtime.__file__).read_text(encoding="utf-8"),
        "lambda_runtime unpacks layers in another way",
    )
    shutil.rmtree(shelf, ignore_errors=True)
    shelf.mkdir(parents=True)
    SharedZip.shelf = shelf
    runtime.zipfile = types.SimpleNamespace(
        ZipFile=SharedZip, BadZipFile=zipfile.BadZipFile, LargeFileError=zipfile.LargeZipFile
    )


def adapt_batch_actions(actions: Any) -> None:
    """IAM has no batch actions for SQS and SNS: a batch is authorised as its single action."""
    stock = actions.extract_iam_action
    expect(
        actions.extract_iam_action.__module__ == actions.__name__,
        "IAM actions are extracted in another place",
    )

    def extract(*args: Any, **named: Any) -> Any:
        action = stock(*args, **named)
        if isinstance(action, str) and action.startswith(("sqs:", "sns:")):
            return action.removesuffix("Batch")
        return action

    actions.extract_iam_action = extract


def adapt_ports(app: Any) -> None:
    """Serve the chosen port and no other."""
    expect(callable(getattr(app, "_port_is_bindable", None)), "port 443 is chosen in another way")
    app._port_is_bindable = lambda host, port: False


def main() -> None:
    """Adapt, serve until told to stop, leave no worker behind."""
    from ministack import app
    from ministack.core import iam_actions, lambda_runtime
    from ministack.services import lambda_svc

    try:
        adapt_interpreter(
            lambda_runtime, os.environ.get("COUNTERSIGN_FUNCTION_PYTHON", sys.executable)
        )
        adapt_raised_errors(lambda_runtime, lambda_svc)
        adapt_log_wait(lambda_runtime)
        adapt_layers(lambda_runtime, Path(tempfile.gettempdir()) / "layers")
        adapt_batch_actions(iam_actions)
        adapt_ports(app)
    except (AttributeError, ChangedInsideError) as changed:
        sys.exit(f"MiniStack changed inside: {changed}")
    try:
        app.main()
    finally:
        lambda_runtime.reset()


if __name__ == "__main__":
    main()
