"""What AWS's managed Python starts: its runtime client, found before the function's own code."""

import os
import sys

sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], os.environ["MEASURED_RUNTIME"]]

from awslambdaric.__main__ import main  # noqa: E402  # found by the path above

main(["bootstrap", os.environ["_HANDLER"]])
