"""Drift, volume, performance and freshness, over arrays and counts."""
