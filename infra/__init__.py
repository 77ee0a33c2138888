"""The infrastructure of Countersign, as CDK stacks."""

import os
import sys
from pathlib import Path

# The CDK's own engine runs on the Node that came with the project, not on what the machine has.
NODE = Path(sys.executable).with_name("node")
if NODE.exists():
    os.environ.setdefault("JSII_NODE", str(NODE))
