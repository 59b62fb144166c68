"""`python -m raysweep`: the command line without its script."""

import sys

from raysweep.cli import main

if __name__ == "__main__":
    sys.exit(main())
