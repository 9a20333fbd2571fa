"""The command `lambdallm`: one module for each verb, imported when that verb is typed."""
