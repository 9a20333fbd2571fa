"""A function that answers over HTTP, takes events, and works off a queue."""

from lambdallm import handler


@handler(model="echo")
def lambda_handler(event, context):
    if "Records" in event:
        bad = [record["messageId"] for record in event["Records"] if "bad" in record["body"]]
        return {"batchItemFailures": [{"itemIdentifier": id} for id in bad]}
    if event.get("fail"):
        raise ValueError("as asked")
    return {"said": context.invoke("Say hello to {name}.", name=event.get("name", "all"))}
