"""What an alarm tells the person whom it wakes."""

from __future__ import annotations

from dataclasses import dataclass

from stacks.constructs import queries
from stacks.constructs.queries import Query


@dataclass(frozen=True, kw_only=True)
class Runbook:
    """What all alarms of an environment have in common.

    ``model_rollback`` and ``release_rollback`` are commands, ``query_folder`` is where the saved queries are.
    """

    dashboard_name: str
    query_folder: str
    model_rollback: str
    release_rollback: str

    def page(self, *, means: str, look: str, query: Query, back: str) -> str:
        """An alarm's description, one thing a line. CloudWatch takes up to 1024 characters."""
        return "\n".join(
            (
                f"Means: {means}",
                f"Look first: {look}",
                f"Dashboard: {self.dashboard_name}. Saved query: {self.query_folder}/{query.name}",
                f"Back: {back}",
            )
        )

    @property
    def either(self) -> str:
        """Both ways back, for what may come of a model or of a release."""
        return f"if it began with a model: {self.model_rollback}; with a release: {self.release_rollback}"

    def failed_deployment(self, service_name: str) -> str:
        """The message of a failed deployment, around ``<time>``, ``<deployment>`` and ``<reason>`` of its event."""
        said = self.page(
            means="the new release was not healthy or set off an alarm; ECS returns to the one before by itself.",
            look="whether tasks are healthy again; then why the new ones were not, before trying again.",
            query=queries.MODEL_EVENTS,
            back=f"only if ECS did not: {self.release_rollback}",
        )
        return f"{service_name}: deployment <deployment> failed at <time>: <reason>\n{said}"

    def markdown(self, service_name: str) -> str:
        """The dashboard's own text."""
        return "\n".join(
            (
                f"## {service_name}",
                "What an alarm means, where to look and the way back stand in its description.",
                "",
                f"- Saved queries: Logs Insights, folder `{self.query_folder}`. Start with"
                f" `{queries.ERRORS.name}`, `{queries.SLOWEST_REQUESTS.name}`, `{queries.MODEL_EVENTS.name}`;"
                f" one client's complaint by its `X-Request-Id` with `{queries.ONE_REQUEST.name}`.",
                f"- Back to the model before: `{self.model_rollback}`",
                f"- Back to the release before: `{self.release_rollback}`",
            )
        )
