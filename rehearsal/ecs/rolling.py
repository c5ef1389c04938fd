"""Which tasks go, and how many may come: the rules of the scheduler, without time or effect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from rehearsal.deployed import ServiceDefinition
from rehearsal.ecs.member import Member, Revision


class Limits(NamedTuple):
    """The least number of ready tasks, and the largest number of tasks that are started and not yet being ended.

    Percent of the desired tasks, rounded up and down
    (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html). On Fargate a task that
    is being deregistered is neither RUNNING nor PENDING, and so does not count.
    """

    lower: int
    upper: int


def limits(service: ServiceDefinition, desired: int) -> Limits:
    return Limits(
        math.ceil(desired * service.minimum_healthy_percent / 100), math.floor(desired * service.maximum_percent / 100)
    )


def hand_over(revisions: Sequence[Revision], primary: Revision, members: Sequence[Member], lower: int) -> None:
    """Lets the revisions beside the primary want as many tasks less as the lower limit allows."""
    spare = sum(member.ready for member in members) - lower
    complete = sum(member.ready for member in members if member.revision is primary) >= primary.wanted
    for revision in revisions:
        if revision is not primary:
            fewer = revision.wanted if complete else max(0, min(spare, revision.wanted))
            revision.wanted -= fewer
            spare -= fewer


def leaving(revision: Revision, members: Sequence[Member], *, room: int) -> list[Member]:
    """Which of the revision's members are to be ended now.

    A faulty task stays until its replacement is ready, and of a faulty task and a faulty replacement one goes. Where
    there is no room for a replacement, faulty tasks go one by one. (Amazon ECS services,
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html, and since October 2023
    https://aws.amazon.com/about-aws/whats-new/2023/10/amazon-ecs-applications-resiliency-unpredictable-load-spikes/.)

    Of good ones that are more than wanted, those go first that are not ready, then the newest. AWS balances zones and
    says nothing of age: chosen, so that a scene goes the same way each time.
    """
    faulty = [member for member in members if member.faulty]
    good = [member for member in members if not member.faulty]
    lacking = max(0, revision.wanted - sum(member.ready for member in good))
    gone, kept = faulty[: max(0, len(faulty) - lacking)], faulty[max(0, len(faulty) - lacking) :]
    if kept and not gone and room <= 0 and len(good) < revision.wanted:
        gone.append(kept[0])
    newest_first = good[::-1]
    newest_first.sort(key=lambda member: member.ready)
    return gone + newest_first[: max(0, len(good) - revision.wanted)]


def coming(revision: Revision, members: Sequence[Member], *, room: int) -> int:
    """How many tasks of the revision are to be started now: what it lacks, as far as there is room.

    A task of the release that is going is replaced by its like, "independent of the new version's status", since
    November 2025: https://aws.amazon.com/about-aws/whats-new/2025/11/amazon-ecs-service-availability-rolling-deployments
    """
    return max(0, min(revision.wanted - sum(not member.faulty for member in members), room))
