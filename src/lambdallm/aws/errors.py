"""What can go wrong before a request to AWS is signed. The client library maps these once, into its own tree.

    AwsError
    ├── CredentialsNotFound      no source has any
    ├── CredentialsRefused       a source is set up, but what it holds can't be used
    ├── CredentialsExpired       a source gave credentials that are past their time
    ├── CredentialsUnavailable   a source did not answer: the only one worth another try
    └── RegionNotFound           nothing says which region to call

Messages name variables, files and hosts, never a key or a token; the last sentence says what to do.
"""

from __future__ import annotations


class AwsError(Exception):
    """Anything that keeps a request to AWS from being signed."""


class CredentialsNotFound(AwsError):
    """No place that was looked at holds credentials."""


class CredentialsRefused(AwsError):
    """A source is set up, but its settings or its answer can't be used; trying again gives the same."""


class CredentialsExpired(AwsError):
    """A source gave credentials whose time has passed."""


class CredentialsUnavailable(AwsError):
    """A source did not answer, or answered that it can't right now; trying again may work."""


class RegionNotFound(AwsError):
    """Nothing says which AWS region to call."""
