"""What differs between environments, read typed from `cdk.json` and checked whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, get_args

EnvironmentName = Literal["local", "dev", "staging", "prod"]
Target = Literal["local", "aws"]
TrainingBackend = Literal["lambda", "sagemaker"]
ENVIRONMENTS: tuple[str, ...] = get_args(EnvironmentName)


class SettingsError(ValueError):
    """`cdk.json` or the command line asks for something that cannot be built."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One environment of `cdk.json`.

    `account` and `region` may stay empty: the templates then work in any account and region.
    `time_scale` multiplies every declared wait (rollout, soak, deadlines). `clients` are the calling
    applications, each with its own usage plan; with `client_keys` a scoring request must also carry
    its client's API key. `human_roles` makes an IAM role for each human role, not only its policy.
    `training_backend`: where models train; with `sagemaker` those of `sagemaker_from_rows` training rows and
    more, in `training_image` (`{region}` stands for the region) on one `training_instance`.
    """

    name: str
    target: Target
    account: str
    region: str
    time_scale: float
    log_retention_days: int
    deletion_protection: bool
    seal_retention_days: int
    api_rate_per_second: int
    api_burst: int
    client_keys: bool
    clients: tuple[str, ...]
    client_rate_per_second: int
    client_burst: int
    snap_start: bool
    provisioned_concurrency: int
    training_backend: TrainingBackend
    sagemaker_from_rows: int
    training_image: str
    training_instance: str
    human_roles: bool
    alarm_email: str

    @property
    def kept_warm(self) -> bool:
        """Whether scoring runs from a snapshot or on workers that wait: both need an alias."""
        return self.snap_start or self.provisioned_concurrency > 0

    def __post_init__(self) -> None:
        if self.snap_start and self.provisioned_concurrency:
            raise SettingsError(f"{self.name}: snap_start excludes provisioned_concurrency")
        if self.target not in get_args(Target):
            raise SettingsError(f"{self.name}: target is one of {get_args(Target)}")
        self._check_training()

    def _check_training(self) -> None:
        if self.training_backend not in get_args(TrainingBackend):
            raise SettingsError(
                f"{self.name}: training_backend is one of {get_args(TrainingBackend)}"
            )
        if self.training_backend == "lambda":
            return
        if self.target == "local":
            raise SettingsError(f"{self.name}: the local cloud has no SageMaker; train on lambda")
        missing = [n for n in ("training_image", "training_instance") if not getattr(self, n)]
        if missing:
            raise SettingsError(f"{self.name}: SageMaker needs {' and '.join(missing)}")


def environment(name: object, declared: Mapping[str, Mapping[str, Any]]) -> Environment:
    """The environment `name` of the `environments` context. Raises SettingsError, saying what to do."""
    if name not in declared:
        raise SettingsError(f"Choose an environment: -c env={'|'.join(declared)} (got {name!r})")
    values = dict(declared[str(name)])
    known = {f.name for f in fields(Environment) if f.default is MISSING} - {"name"}
    wrong = sorted(set(values) ^ known)
    if wrong:
        raise SettingsError(f"cdk.json, {name}: unknown or missing {', '.join(wrong)}")
    values["clients"] = tuple(values["clients"])
    return Environment(name=str(name), **values)
