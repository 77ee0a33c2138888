"""The commands and the local cloud; nobody imports this room."""
