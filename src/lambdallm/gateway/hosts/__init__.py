"""Where the application stands: a host turns what it is given into a request, drives the flow, and sends what comes."""
