"""`countersign models …`: versions, their records, and training one again."""
