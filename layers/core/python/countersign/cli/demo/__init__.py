"""The demo: one model through the whole house, from outside."""
