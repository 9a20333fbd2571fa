"""`python -m lambdallm.runtime [module.function]`."""

from __future__ import annotations

import sys

from .main import main

if __name__ == "__main__":
    main(*sys.argv[1:2])
