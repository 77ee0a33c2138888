"""Task tokens of waiting executions. They live beside their approval and never leave the server."""

from __future__ import annotations

from countersign.aws.registry.table import RegistryTable


class Tokens:
    """pk `approval#<id>`, sk `token#<role>`. A token is only a wake-up: what was decided is a record."""

    def __init__(self, table: RegistryTable) -> None:
        self._table = table

    def keep(self, approval_id: str, role: str, token: str) -> None:
        """Keep the token with which the branch of `role` is resumed; a later one replaces it."""
        document = {"token": token, "kept_at": self._table.now()}
        self._table.put(f"approval#{approval_id}", f"token#{role}", document)

    def waiting(self, approval_id: str) -> dict[str, str]:
        """Role → token of every branch that was seen waiting and was not resumed yet."""
        items = self._table.items(f"approval#{approval_id}", "token#")
        found = {str(i["sk"]).removeprefix("token#"): str(i["token"]) for i in items}
        return {role: token for role, token in found.items() if token}

    def spend(self, approval_id: str, role: str, token: str) -> None:
        """Forget `token`, unless a retry of the branch has put another one in its place."""
        if self.waiting(approval_id).get(role) == token:
            document = {"token": "", "spent_at": self._table.now()}
            self._table.put(f"approval#{approval_id}", f"token#{role}", document)
