"""The archive of a training job's code: the same for the same content, whole, and able to train alone."""

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from layers import build, source
from tests.unit.training_jobs.channel import container, freeze


def layer(folder: Path, name: str, content: str) -> Path:
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text(content)
    return folder


def test_it_is_the_same_to_the_byte_and_holds_program_code_and_packages(tmp_path: Path) -> None:
    made = []
    for where in ("a", "b"):
        core = layer(tmp_path / where / "core", "countersign/x.py", "x = 1\n")
        packages = layer(tmp_path / where / "training", "numpy/y.py", "y = 1\n")
        source.write(tmp_path / where / source.NAME, core, packages)
        made.append((tmp_path / where / source.NAME).read_bytes())
    assert made[0] == made[1]
    with tarfile.open(tmp_path / "a" / source.NAME) as archive:
        assert archive.getnames() == ["train.py", "countersign/x.py", "lib/numpy/y.py"]


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """The built archive, as script mode unpacks it; and an interpreter of the training image's version."""
    built = build.ROOT / "build" / "layers" / "sagemaker" / source.NAME
    if not built.exists() or not build.interpreter_for(build.target("sagemaker").python):
        pytest.skip(
            "not built: python layers/build.py --target sagemaker; it needs that Python here"
        )
    if sys.platform != "linux":
        pytest.skip("the packages are for Linux")
    return source.unpack(built, tmp_path / "code")


def test_it_trains_with_nothing_but_itself(unpacked: Path, tmp_path: Path) -> None:
    freeze(tmp_path / "ml/input/data/training")
    ended = subprocess.run(
        [
            build.interpreter_for(build.target("sagemaker").python),
            "-I",
            unpacked / "train.py",
            "--use_case",
            "telco_churn",
        ],
        env=container(tmp_path / "ml"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    made = json.loads((tmp_path / "ml/model/training.json").read_text())["environment"]
    told = json.loads((unpacked / "countersign/build.json").read_text())
    assert {name: made[name] for name in told} == told
    assert made["python"].startswith(build.target("sagemaker").python)
