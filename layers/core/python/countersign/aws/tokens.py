"""Task tokens of waiting executions. They live beside their approval and never leave the server."""

from __future__ import annotations

from countersign.aws.registry.table import RegistryTable


class Tokens(RegistryTable):
    """pk `approval#<id>`, sk `token#<role>`. A token is only a wake-up: what was decided is a record."""

    def keep(self, approval_id: str, role: str, token: str) -> None:
        """Keep the token with which the branch of `role` is resumed; a later one replaces it."""
        self.put(
            f"approval#{approval_id}", f"token#{role}", {"token": token, "kept_at": self.now()}
        )

    def waiting(self, approval_id: str) -> dict[str, str]:
        """Role → token of every branch that was seen waiting."""
        items = self.items(f"approval#{approval_id}", "token#")
        return {str(item["sk"]).removeprefix("token#"): str(item["token"]) for item in items}
