"""The strategies of a router, a module each."""
