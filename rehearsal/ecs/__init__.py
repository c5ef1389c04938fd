"""ECS's place: keeps a service's tasks running, and takes one release over to the next, as AWS documents it."""

from rehearsal.ecs.balancer import Balancer, Group, TargetHealth
from rehearsal.ecs.member import Member, Running
from rehearsal.ecs.service import Service

__all__ = ["Balancer", "Group", "Member", "Running", "Service", "TargetHealth"]
