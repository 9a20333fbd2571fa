"""Providers as plug-ins: the small synchronous interface, and its bridge to the client library."""
