"""The local cloud: an emulated AWS on 127.0.0.1, deployed to with the real CDK.

See docs/local-cloud.md for what it does and does not imitate.
"""
