"""The launcher replaces parts of the emulator, and refuses one that it doesn't know."""

import contextlib
import io
import json
import subprocess
import sys
import types
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from countersign.cli.local_cloud import launcher


def stock_worker(first_line_wait: float = 0.05) -> type:
    def drain(
        self: object,
        first_line_wait: float = first_line_wait,
        idle_confirm: float = 0.005,
        hard_cap: float = 0.25,
    ) -> str:
        return f"{first_line_wait} {idle_confirm} {hard_cap}"

    return type("Worker", (), {"_drain_stderr_bounded": drain})


def stock_runtime() -> Any:
    """The parts of ministack.core.lambda_runtime that are replaced, in their known shape."""
    runtime = types.ModuleType("lambda_runtime")
    script = f"try:\n    raise KeyError('x')\nexcept Exception as e:\n    {launcher.STOCK_RAISE}\n"
    members: dict[str, Any] = {
        "_PYTHON_WORKER_SCRIPT": script,
        "Worker": stock_worker(),
        "_detect_runtime_binary": lambda name: (sys.executable, runtime._PYTHON_WORKER_SCRIPT),
        "zipfile": zipfile,
    }
    vars(runtime).update(members)
    return runtime


def stock_service(answer: dict[str, Any]) -> Any:
    def execute(func: Any, event: Any, request_id: str) -> dict[str, Any]:
        return answer

    return types.SimpleNamespace(_execute_function_warm=execute)


def test_an_exception_keeps_its_class_through_the_workers_protocol() -> None:
    runtime = stock_runtime()
    launcher.adapt_raised_errors(runtime, stock_service({}))
    out = io.StringIO()
    names = {"json": json, "traceback": __import__("traceback"), "_real_stdout": out}
    exec(runtime._PYTHON_WORKER_SCRIPT, names)

    answer = {"body": json.loads(out.getvalue())["result"], "log": "a line"}
    given = launcher.as_lambda_answers(answer, "r-1")
    assert given["error"]
    assert given["body"]["errorType"] == "KeyError"
    assert given["body"]["requestId"] == "r-1"
    assert given["log"].startswith("a line\nTraceback")


@pytest.mark.parametrize(
    ("said", "error_type"),
    [
        ("Worker init failed: No module named 'pandas'", "Runtime.ImportModuleError"),
        ("Worker process died", "Runtime.ExitError"),
        ("Task timed out after 3.00 seconds", "Sandbox.Timedout"),
    ],
)
def test_failures_of_the_process_have_the_types_of_lambda(said: str, error_type: str) -> None:
    stock = {"errorMessage": said, "errorType": "Sandbox.Timedout"}
    given = launcher.as_lambda_answers({"body": stock, "error": True}, "r-1")
    assert given["body"] == {"errorMessage": said, "errorType": error_type}


@pytest.mark.parametrize(
    "body", [None, [1], "text", {"errorMessage": "Worker process died"}, {"a": 1}]
)
def test_an_answer_that_only_looks_like_a_failure_stays_as_it_is(body: object) -> None:
    assert launcher.as_lambda_answers({"body": body}, "r-1") == {"body": body}


def test_a_quiet_handler_waits_three_milliseconds() -> None:
    runtime = stock_runtime()
    launcher.adapt_log_wait(runtime)
    assert runtime.Worker()._drain_stderr_bounded() == "0.003 0.005 0.25"


def test_functions_run_in_the_chosen_interpreter() -> None:
    runtime = stock_runtime()
    launcher.adapt_interpreter(runtime, "/functions/python")
    assert runtime._detect_runtime_binary("python3.13")[0] == "/functions/python"
    assert runtime._detect_runtime_binary("nodejs22.x")[0] == sys.executable


def changed_script(runtime: Any) -> None:
    runtime._PYTHON_WORKER_SCRIPT = "print('other')"
    launcher.adapt_raised_errors(runtime, stock_service({}))


def changed_execute(runtime: Any) -> None:
    service = types.SimpleNamespace(_execute_function_warm=lambda function: {})
    launcher.adapt_raised_errors(runtime, service)


def changed_wait(runtime: Any) -> None:
    runtime.Worker = stock_worker(0.010)
    launcher.adapt_log_wait(runtime)


def changed_binary(runtime: Any) -> None:
    runtime._detect_runtime_binary = lambda name: ("/other/python", "")
    launcher.adapt_interpreter(runtime, "/functions/python")


def changed_unpacking(runtime: Any) -> None:
    runtime.zipfile = types.SimpleNamespace()
    launcher.adapt_layers(runtime, Path("/nowhere"))


def changed_ports(runtime: Any) -> None:
    launcher.adapt_ports(runtime)


@pytest.mark.parametrize(
    "change",
    [
        changed_script,
        changed_execute,
        changed_wait,
        changed_binary,
        changed_unpacking,
        changed_ports,
    ],
)
def test_an_emulator_that_changed_inside_is_refused(change: Callable[[Any], None]) -> None:
    with pytest.raises(launcher.ChangedInsideError, match=r"fits MiniStack 1\.5\.33"):
        change(stock_runtime())


def test_a_layer_is_unpacked_once_and_shared(tmp_path: Path) -> None:
    runtime = stock_runtime()
    runtime.__file__ = str(tmp_path / "runtime.py")
    Path(runtime.__file__).write_text("lzf.extractall(layer_dir)")
    launcher.adapt_layers(runtime, tmp_path / "shelf")

    def unpacked(worker: str) -> Path:
        archive, target = tmp_path / f"{worker}.zip", tmp_path / worker / "layer_0"
        target.mkdir(parents=True)
        with contextlib.closing(zipfile.ZipFile(archive, "w")) as layer:
            layer.writestr(zipfile.ZipInfo("python/words.py"), "WORD = 'layer'")
        with runtime.zipfile.ZipFile(archive) as layer:
            layer.extractall(target)
        return target

    first, second = unpacked("one"), unpacked("two")
    assert first.resolve() == second.resolve()
    assert (second / "python" / "words.py").read_text() == "WORD = 'layer'"


def test_the_launcher_needs_nothing_of_ours() -> None:
    program = f"import runpy; runpy.run_path({launcher.__file__!r}, run_name='looked_at')"
    subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True)
