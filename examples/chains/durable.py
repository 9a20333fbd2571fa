"""The same chain on AWS Lambda durable functions: `python examples/chains/durable.py`, by AWS's own test runner.

It needs `pip install 'lambdallm[durable]' aws-durable-execution-sdk-python-testing`, and no account.
"""

import json

from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner

from lambdallm.chains import Chain, Parallel, Step
from lambdallm.chains.durable import durable_chain
from lambdallm.testing import mock_model

opinions = Chain(
    "opinions",
    [
        Parallel("both", [Step("pros", "What speaks for {plan}?"), Step("cons", "What speaks against {plan}?")]),
        Step("verdict", "Weigh these:\n{pros.output}\n{cons.output}"),
    ],
)


@durable_execution
def lambda_handler(event, durable_context):
    result = durable_chain(opinions, durable_context, plan=event["plan"])
    durable_context.wait(Duration.from_hours(24), name="sleep on it")
    return result.output


def main():
    with mock_model([lambda prompt: f"({prompt})"]) as model, DurableFunctionTestRunner(lambda_handler, 0.01) as runner:
        result = runner.run(json.dumps({"plan": "a cat"}), execution_timeout=30)
    runner._scheduler._loop.close()  # the test runner leaves it open
    print(json.loads(result.result))
    print([operation.name for operation in result.operations], f"{len(model.calls)} calls")


if __name__ == "__main__":
    main()
