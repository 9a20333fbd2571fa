"""A project's settings, as each of its environments sees them."""

import os
from pathlib import Path

from lambdallm import load_config

FILE = Path(__file__).with_name("lambdallm.yaml")


def main() -> None:
    for stage in ("dev", "prod"):
        config = load_config(FILE, {**os.environ, "LAMBDALLM_ENV": stage})
        print(f"{stage}: {config.model}, {config.max_retries} retries, sessions in {config.session['store']}")


if __name__ == "__main__":
    main()
