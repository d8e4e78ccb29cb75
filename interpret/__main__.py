"""`python -m interpret`: see `interpret/cli/main.py`."""

import sys

from interpret.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
