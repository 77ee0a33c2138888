"""The infrastructure of Countersign, as CDK stacks."""
