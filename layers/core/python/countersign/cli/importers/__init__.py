"""Importers of published data: each maps files to the sources a use case declares."""

from countersign.cli.importers.delivery import Delivered
from countersign.cli.importers.earnings import Imported, import_earnings
from countersign.cli.importers.paysim import import_paysim
from countersign.cli.importers.telco import import_telco

__all__ = ["Delivered", "Imported", "import_earnings", "import_paysim", "import_telco"]
