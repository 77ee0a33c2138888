"""Pure functions over counts and arrays. Imports nothing of ours; needs numpy and the standard library only.

The monitoring and scoring bundles carry no scipy, so the few special functions needed are in `special`;
scipy, statsmodels, scikit-learn and fairlearn are the oracles of the tests.
"""
