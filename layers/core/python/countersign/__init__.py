"""Countersign: serverless MLOps for models that touch people's pay and payments."""
