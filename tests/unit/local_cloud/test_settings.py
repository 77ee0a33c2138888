"""Where a local cloud lives, and the sentences for those who ask for the impossible."""

import socket
from pathlib import Path

import pytest
from countersign.cli.local_cloud import process
from countersign.cli.local_cloud.__main__ import main
from countersign.cli.local_cloud.settings import (
    CloudSettings,
    LocalCloudError,
    checkout,
    from_environment,
)


def test_the_usual_cloud_is_on_4566_under_build_local() -> None:
    settings = from_environment({})
    assert settings.endpoint == "https://127.0.0.1:4566"
    assert settings.outputs == checkout() / "build" / "local" / "outputs.json"
    assert settings.wait_scale == 0


def test_port_folder_and_pace_are_chosen_by_the_environment(tmp_path: Path) -> None:
    chosen = {
        "COUNTERSIGN_PORT": "4580",
        "COUNTERSIGN_LOCAL_DIR": str(tmp_path),
        "COUNTERSIGN_WAIT_SCALE": "0.5",
    }
    settings = from_environment(chosen)
    assert (settings.port, settings.directory, settings.wait_scale) == (4580, tmp_path, 0.5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COUNTERSIGN_PORT", "http"),
        ("COUNTERSIGN_PORT", "0"),
        ("COUNTERSIGN_PORT", "65536"),
        ("COUNTERSIGN_WAIT_SCALE", "-1"),
        ("COUNTERSIGN_WAIT_SCALE", "nan"),
        ("COUNTERSIGN_WAIT_SCALE", "slow"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(LocalCloudError, match=name) as refused:
        from_environment({name: value})
    assert refused.value.code == 2


def test_a_taken_port_is_a_clear_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        settings = CloudSettings(port=other.getsockname()[1], directory=tmp_path)
        with pytest.raises(LocalCloudError, match="is taken by another program") as refused:
            process.start(settings)
    assert refused.value.code == 3


def test_a_record_whose_process_is_gone_is_not_a_running_cloud(tmp_path: Path) -> None:
    settings = CloudSettings(directory=tmp_path)
    settings.record.write_text('{"pid": 1, "born": "another time"}')
    assert process.running(settings) is None
    assert process.stop(settings) is False
    assert not settings.record.exists()


@pytest.mark.parametrize("verb", ["status", "logs", "deploy", "destroy"])
def test_without_a_cloud_every_verb_says_so_in_one_line(
    verb: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COUNTERSIGN_LOCAL_DIR", str(tmp_path))
    assert main([verb]) == 4
    assert capsys.readouterr().err == "error: the local cloud is not running; run `make up`\n"


def test_stopping_nothing_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_LOCAL_DIR", str(tmp_path))
    assert main(["down"]) == 0


@pytest.mark.parametrize("words", [["bogus"], ["up", "--bogus"], ["status", "--output", "xml"]])
def test_wrong_usage_has_its_own_exit_code(words: list[str]) -> None:
    assert main(words) == 2
