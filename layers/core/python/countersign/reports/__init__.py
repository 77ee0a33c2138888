"""Drawing: self-contained HTML pages from stored JSON. Imported by steps and cli only."""
