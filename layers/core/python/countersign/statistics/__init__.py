"""Pure statistics: no I/O, nothing of ours."""
