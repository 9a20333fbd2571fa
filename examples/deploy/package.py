"""Make the package of a project from Python, as `lambdallm build` does, and look at what is in it.

Run it with the project's Python: python examples/deploy/package.py
"""

import tempfile
from pathlib import Path

from lambdallm.deploy import BuildError, Settings, build

PROJECT = Path(__file__).parents[1] / "quickstart"


def main():
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(code=str(PROJECT), project=str(PROJECT), output=f"{folder}/quickstart.zip", arch="arm64")
        report = build(settings)
        print(f"{report.zipped / 1e6:.1f} MB zipped, {report.unzipped / 1e6:.1f} MB unzipped, sha256 {report.sha256}")
        for part in report.parts:
            print(f"{part.owner}: {part.unzipped} bytes in {part.files} files")
        try:
            build(settings.replace(python="3.8"))
        except BuildError as error:
            print(error)


if __name__ == "__main__":
    main()
