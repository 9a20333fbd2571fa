"""A function step with an effect, done once though its process dies: `python examples/chains/exactly_once.py`.

Every step has an idempotency key, which is the same each time it is tried. Whoever has the effect done knows the key,
and does it once: a payment provider by a header, DynamoDB by a conditional write, SQS by a deduplication id.
"""

from lambdallm import handler
from lambdallm.chains import Chain, Step
from lambdallm.testing import MockLambdaContext, mock_model

sent = {}
"""Stands for the provider of letters: a second order with the same key is the first one."""


def send_letter(letter, customer, idempotency_key):
    sent.setdefault(idempotency_key, (customer, letter))
    if len(failures) < 1:
        failures.append("the function was stopped after the letter was sent, and before that was written down")
        raise ConnectionError(failures[0])
    return "sent"


failures = []

letters = Chain(
    "letters",
    [
        Step("letter", "Write a kind reminder to {customer}."),
        Step("send", func=send_letter),
    ],
    store="memory",
)


@handler(model="echo")
def lambda_handler(event, context):
    if "checkpoint" in event:
        return letters.resume(context, event["checkpoint"]).to_dict()
    return letters.run(context, **event).to_dict()


def main():
    with mock_model(["Dear Ada, …"]) as model:
        try:
            lambda_handler({"customer": "Ada"}, MockLambdaContext())
        except ConnectionError as error:
            print(f"failed: {error}")
            done = error.chain_result
        result = lambda_handler({"checkpoint": done.checkpoint_id}, MockLambdaContext())
    print({path: step["status"] for path, step in result["steps"].items()})
    print(f"{len(model.calls)} call to the model, {len(sent)} letter")


if __name__ == "__main__":
    main()
