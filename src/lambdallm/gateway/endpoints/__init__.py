"""What the gateway answers, an endpoint or a family of them to a module; `routes` says which path is whose."""
