"""The parts of the evaluation report, one module a section; each takes the whole document."""
