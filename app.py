"""The CDK app: read the environment, build the stacks, synth. It makes no AWS call.

cdk synth -c env=local|dev|staging|prod [-c placeholder_layers=true]
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

# The CDK's own engine runs on the Node that came with the project, not on what the machine has.
NODE = Path(sys.executable).with_name("node")
if NODE.exists():
    os.environ.setdefault("JSII_NODE", str(NODE))

from infra.app import build  # noqa: E402 - after the choice of Node

if __name__ == "__main__":
    build().synth()
