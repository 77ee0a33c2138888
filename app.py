"""The CDK app: read the environment, build the stacks, synth. It makes no AWS call.

cdk synth -c env=local|dev|staging|prod [-c placeholder_layers=true]
"""

from infra.app import build

if __name__ == "__main__":
    build().synth()
