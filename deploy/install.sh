#!/usr/bin/env bash
# On a node, run by `ray up`: this checkout and the versions of constraints.txt, into ~/raysweep-env.
# uv comes with a Python of its own, so that a node needs curl and no Python 3.11.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
environment=~/raysweep-env

test -x ~/.local/bin/uv || curl -LsSf https://astral.sh/uv/0.13.9/install.sh | sh
test -x $environment/bin/python || ~/.local/bin/uv venv --python 3.11 $environment
~/.local/bin/uv pip install --python $environment --constraint "$repository/constraints.txt" \
    --editable "$repository"
grep -q raysweep-env ~/.bashrc || echo "export PATH=$environment/bin:\$PATH" >> ~/.bashrc
