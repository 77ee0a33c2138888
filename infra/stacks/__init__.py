"""Storage, compute, workflows, watch: deployed in this order."""
