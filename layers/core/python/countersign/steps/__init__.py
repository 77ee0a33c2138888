"""One module per function: the story of a step, no arithmetic, no AWS call."""
