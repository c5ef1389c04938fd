"""Every error that the rehearsal raises on purpose.

RehearsalError
├── CommandError         the CDK's command line failed
├── UnresolvedError      a template holds what cannot be resolved with what the account knows
├── DisagreementError    the template and AWS's own API say different things of one value
├── RefusedError         what was deployed cannot be rehearsed
└── BalancerError        HAProxy is missing, does not start, or does not do what it is told
"""

from __future__ import annotations


class RehearsalError(Exception):
    """Base of all errors raised on purpose; its text is for a person."""


class CommandError(RehearsalError):
    """The CDK's command line failed; the text ends with its last lines."""


class UnresolvedError(RehearsalError):
    """A template holds what cannot be resolved with what the account knows; the text names the path."""


class DisagreementError(RehearsalError):
    """The template and AWS's own API say different things of one value; the text names it and both sides."""


class RefusedError(RehearsalError):
    """What was deployed cannot be rehearsed; the text is one line that says why."""


class BalancerError(RehearsalError):
    """HAProxy is missing, does not start, or does not do what it is told; the text says it in its words."""
