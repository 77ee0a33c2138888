"""The record of a version as it is stored, held whole before anything is done with it."""

from __future__ import annotations

from countersign.aws.registry.table import Item, RegistryTable
from countersign.errors import NotFoundError
from countersign.governance.completeness import problems, refuse_incomplete
from countersign.governance.versions import sort_key


class Records(RegistryTable):
    """pk `model#<use_case>`, sk `version#<sortable version>`."""

    def stored_version(self, use_case: str, version: str) -> Item:
        """The item of a version. Raises NotFoundError."""
        item = self.get(f"model#{use_case}", f"version#{sort_key(version)}")
        if item is None:
            raise NotFoundError(f"No version {version} of {use_case}")
        return item

    def refuse_incomplete(self, use_case: str, version: str, transition: str) -> str:
        """The digest of the record, for the transaction to hold on to.

        Raises GateError naming every field that is missing or ill typed.
        """
        return refuse_incomplete(self.stored_version(use_case, version), transition)

    def record_problems(self, use_case: str, version: str) -> list[str]:
        """The names of what is missing or ill typed."""
        found = problems(self.stored_version(use_case, version))
        return list(dict.fromkeys(problem.field for problem in found))
