"""The playground of `lambdallm dev`: a page that runs a project's functions, prompts and chains, and its server."""
