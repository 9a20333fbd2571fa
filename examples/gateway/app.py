"""A gateway as a Lambda function. It serves what `gateway.json` beside it says."""

from lambdallm.gateway.assemble import assembled
from lambdallm.gateway.hosts.lambda_host import handler

lambda_handler = handler(assembled())  # a Lambda function that serves what gateway.json says
