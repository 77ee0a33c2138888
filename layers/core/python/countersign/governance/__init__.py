"""Stages, approval policy, rollout, experiments, retention and the audit chain, as pure rules."""
