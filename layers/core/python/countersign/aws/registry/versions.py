"""Versions in the registry: reserved, registered, read, and kept while anything refers to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from countersign.aws.registry.records import Records
from countersign.aws.registry.table import CancelledError, Item
from countersign.errors import ConflictError, EpochConflictError
from countersign.governance.numbering import earned, fields_of
from countersign.governance.retention import refuse_referenced
from countersign.governance.versions import Version, VersionRecord, sort_key

_MONITORED = (
    "last_monitored",
    "current_recall",
    "current_false_positive_rate",
    "current_accuracy",
    "drift_detected",
    "next_retrain",
)
_LIFE = (
    "registered_at",
    "quarantined",
    "archived_at",
    "deleted_at",
    "deleted_by",
    "deployed_at",
    "deployed_by",
    "rollback_version",
    *_MONITORED,
)


class Versions(Records):
    """pk `model#<use_case>`, sk `version#<sortable version>`."""

    def put_version(self, record: VersionRecord) -> Version:
        """Reserve the next version for a run, at stage None; `record.version` is ignored and derived.

        A run that was given a version before is given the same one. `stage_version` makes it visible
        once its files stand. Raises ConflictError when the run was recorded with other content.
        """
        pk = f"model#{record.use_case}"
        for _ in range(5):
            known = self.version_of_run(record.use_case, record.run_id)
            if known is not None:
                return _same(known, record)
            newest = self._newest(record.use_case)
            before = fields_of(newest.record) if newest else None
            number, why = earned(before, fields_of(record))
            after = newest.version if newest else ""
            made = replace(record, version=number, after=after, why=why)
            operations = [
                self.put_operation(pk, f"version#{sort_key(number)}", self._new_item(made)),
                self.put_operation(pk, f"seen#run#{record.run_id}", {"version": number}),
            ]
            try:
                self.transact(operations, token=f"{made.run_id}#{number}#{self.now()}")
            except CancelledError:
                continue  # another run took the number, or our own answer was lost
            return self.version(record.use_case, number)
        raise EpochConflictError("Other runs keep registering at the same moment; try again")

    def stage_version(self, use_case: str, version: str) -> Version:
        """None → Staging, once every file of the version stands. Doing it again changes nothing.

        Raises GateError naming what is missing or ill typed in the record.
        """
        found = self.version(use_case, version)
        if found.stage != "None":
            return found
        record_digest = self.refuse_incomplete(use_case, version, "stage")
        change = self.update_operation(
            f"model#{use_case}",
            f"version#{sort_key(version)}",
            {"stage": "Staging", "gsi_pk": "version#Staging", "gsi_sk": self.now()},
            "#stage = :none AND #record_digest = :record",
            {"none": "None", "record": record_digest},
        )
        try:
            self.transact([change], token=f"stage#{use_case}#{version}#{self.now()}")
        except CancelledError as error:
            found = self.version(use_case, version)
            if found.stage == "None":
                raise ConflictError(f"{version} of {use_case} could not be staged") from error
        return self.version(use_case, version)

    def version(self, use_case: str, version: str) -> Version:
        """One version. Raises NotFoundError."""
        return _version(self.stored_version(use_case, version))

    def versions(self, use_case: str) -> list[Version]:
        """Every version that was registered whole, oldest first."""
        every = [_version(item) for item in self.items(f"model#{use_case}", "version#")]
        return [v for v in every if v.stage != "None"]

    def version_of_run(self, use_case: str, run_id: str) -> Version | None:
        """The version that a training run was given, if it got that far."""
        seen = self.get(f"model#{use_case}", f"seen#run#{run_id}")
        return self.version(use_case, str(seen["version"])) if seen else None

    def production(self) -> list[tuple[str, str]]:
        """(use case, version) of every champion."""
        items = self.with_status("version#Production")
        return sorted((str(i["use_case"]), str(i["version"])) for i in items)

    def record_monitoring(self, use_case: str, version: str, facts: Mapping[str, Any]) -> None:
        """What monitoring last found: any of `last_monitored`, `current_recall`,
        `current_false_positive_rate`, `current_accuracy` (of a model of classes), `drift_detected`,
        `next_retrain`.

        Raises
        ------
        ValueError      another fact
        """
        foreign = sorted(set(facts) - set(_MONITORED))
        if foreign:
            raise ValueError(f"a version's record has no place for {', '.join(foreign)}")
        allowed = dict(facts)
        change = self.update_operation(
            f"model#{use_case}",
            f"version#{sort_key(version)}",
            {"last_monitored": self.now(), **allowed},
            "attribute_exists(pk)",
            {},
        )
        self.transact([change], token=f"monitored#{use_case}#{version}#{self.now()}")

    def refuse_deletion(
        self,
        use_case: str,
        version: str,
        referenced: Mapping[str, Sequence[str]] | Iterable[str],
    ) -> None:
        """Raise ConflictError when the version must stay loadable (invariant 3)."""
        every = self.versions(use_case)
        champion = next((v.version for v in every if v.stage == "Production"), "")
        standing = [v.version for v in every if not v.deleted_at]
        refuse_referenced(version, referenced, standing, champion)

    def _newest(self, use_case: str) -> Version | None:
        items = self.items(f"model#{use_case}", "version#", newest_first=True, limit=1)
        return _version(items[0]) if items else None

    def _new_item(self, record: VersionRecord) -> Item:
        now = self.now()
        return {
            "use_case": record.use_case,
            "version": record.version,
            "digest": record.digest,
            "run_id": record.run_id,
            "record": record.document(),
            "record_digest": record.record_digest(),
            "gates_passed": record.gates_passed,
            "stage": "None",
            "quarantined": False,
            "registered_at": now,
            "gsi_pk": "version#None",
            "gsi_sk": now,
        }


def _same(known: Version, record: VersionRecord) -> Version:
    numbered = {name: getattr(known.record, name) for name in ("version", "after", "why")}
    if known.record.record_digest() != replace(record, **numbered).record_digest():
        raise ConflictError(f"Run {record.run_id} was registered as {known.version}, otherwise")
    return known


def _version(item: Mapping[str, Any]) -> Version:
    life = {name: item[name] for name in _LIFE if item.get(name) is not None}
    return Version(
        record=VersionRecord.from_document(str(item["record"])), stage=item["stage"], **life
    )
