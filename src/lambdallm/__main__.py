"""`python -m lambdallm` is the command `lambdallm`."""

import sys

from lambdallm.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
