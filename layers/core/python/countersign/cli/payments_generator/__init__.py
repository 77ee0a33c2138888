"""A seeded generator of payments, written as a payment platform would deliver them. Demo and tests only.

`generate` writes the history of every source of fraud, churn, retry and recovery. Every row carries the
taint column `_synthetic`, and every delivery says so in its marker.
"""

from countersign.cli.payments_generator.delivery import Delivery, generate

__all__ = ["Delivery", "generate"]
