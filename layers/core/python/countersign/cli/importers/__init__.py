"""Importers of real data: each maps published files to the sources a use case declares."""

from countersign.cli.importers.earnings import Imported, import_earnings

__all__ = ["Imported", "import_earnings"]
