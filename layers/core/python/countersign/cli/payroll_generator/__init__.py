"""A seeded generator of payroll, written as a payroll engine would deliver it. Demo and tests only.

`generate` writes the history; `drafts` makes the pay run that is about to be scored. Every row
carries the taint column `_synthetic`, and every delivery says so in its marker.
"""

from countersign.cli.payroll_generator.anomalies import KINDS
from countersign.cli.payroll_generator.countries import COUNTRIES
from countersign.cli.payroll_generator.delivery import Delivery, generate
from countersign.cli.payroll_generator.drafts import DRIFTS, Drafts, drafts

__all__ = ["COUNTRIES", "DRIFTS", "KINDS", "Delivery", "Drafts", "drafts", "generate"]
