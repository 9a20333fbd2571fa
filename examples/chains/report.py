"""A report in several steps, as a Lambda function: `python examples/chains/report.py` needs no key.

The steps find the claims of a text, check each of them side by side, and write a report; long ones are shortened.
What is finished is kept, so a function whose time runs out goes on where it was.
"""

from lambdallm import handler
from lambdallm.chains import Chain, Map, Step
from lambdallm.testing import MockLambdaContext, mock_model


def worth_checking(claims):
    """A function's parameters name what it is given: here the output of the step `claims`."""
    return [claim for claim in claims["claims"] if len(claim) > 10][:20]


report = Chain(
    "report",
    [
        Step("claims", "List the claims in this text:\n{text}", output_schema={"claims": [str]}),
        Step("chosen", func=worth_checking),
        Map(
            Step("checks", "Is this true? Answer in one sentence.\n{item}", max_retries=5),
            over="{chosen.output}",
            concurrency=4,
        ),
        Step("report", "Write a report for {reader} about these findings:\n{checks.output}"),
        Step("short", "Shorten to 50 words:\n{report.output}", condition=lambda report: len(report) > 400),
    ],
    timeout_strategy="checkpoint",
    max_total_cost=0.25,
)


@handler(model="anthropic/claude-haiku-4-5")
def lambda_handler(event, context):
    if "checkpoint" in event:
        result = report.resume(context, event["checkpoint"])
    else:
        result = report.run(context, text=event["text"], reader=event.get("reader", "everybody"))
    return {"report": result.output, "complete": result.complete, "checkpoint": result.checkpoint_id}


def scripted(prompt):
    """What stands in for the model here."""
    if prompt.startswith("List the claims"):
        return {"claims": ["The sky is blue at noon.", "Water boils at 90 °C.", "No."]}
    return f"({prompt.splitlines()[-1]})"


def main():
    with mock_model([scripted]) as model:
        print(lambda_handler({"text": "…"}, MockLambdaContext())["report"])
    print(f"{len(model.calls)} calls")
    print(report.to_mermaid())


if __name__ == "__main__":
    main()
