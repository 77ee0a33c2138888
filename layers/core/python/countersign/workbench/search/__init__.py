"""Hyperparameters sought on the training rows alone: by grid, at random, or by Optuna."""
