"""Who reaches the service and what it reaches: the VPC, the balancer, its listener, names and certificates."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from stacks.settings._adopted import AdoptListener, AdoptVpc, Vpc
from stacks.settings._disagreement import Disagreement, given_below, is_given, no_such_key

if TYPE_CHECKING:
    from stacks.settings._environment import Environment

# https://www.rfc-editor.org/rfc/rfc1918
_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))

_SUBNETS = 8
"""As stacks/constructs/vpc.py lays them out: public and private ones, for four zones."""

_SUBNET_TAKEN = 5 + 3 + 8
"""Addresses of a private subnet that no task gets: AWS's own, those of interface endpoints, those of a balancer.
https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html (subnets)"""


def check_reach(environment: Environment) -> Iterator[Disagreement]:
    vpc = environment.network.vpc
    if isinstance(vpc, AdoptVpc):
        yield from _adopted_vpc(environment, vpc.adopt)
    else:
        yield from _own_vpc(environment)
    listener = environment.load_balancer.listener
    if isinstance(listener, AdoptListener):
        yield from _adopted_listener(environment)
    else:
        yield from _own_listener(environment)
    yield from _dns(environment)


def _adopted_vpc(environment: Environment, vpc: Vpc) -> Iterator[Disagreement]:
    for key in given_below(environment, "network"):
        if key != "network.vpc":
            yield no_such_key(key, "an adopted VPC is its owner's")
    zones = len(vpc.availability_zones)
    for name in ("public_subnet_ids", "private_subnet_ids"):
        if len(getattr(vpc, name)) not in (0, zones):
            yield Disagreement(
                f"network.vpc.adopt.{name}", f"{zones} ids or none", f"the VPC is used in {zones} availability zones"
            )
    if not vpc.public_subnet_ids and not vpc.private_subnet_ids:
        yield Disagreement("network.vpc.adopt", "public_subnet_ids or private_subnet_ids", "tasks stand in subnets")
    door = environment.load_balancer
    if door.listener == "own" and door.scheme == "internet-facing" and not vpc.public_subnet_ids:
        yield Disagreement(
            "load_balancer.scheme", "internal", "the adopted VPC names no public subnets for a balancer to stand in"
        )


def _own_vpc(environment: Environment) -> Iterator[Disagreement]:
    network = environment.network
    yield from _egress(environment)
    if network.egress != "nat" and is_given(environment, "network.nat_gateways"):
        yield no_such_key("network.nat_gateways", f"network.egress is {network.egress}")
    if network.nat_gateways > network.availability_zones:
        yield Disagreement(
            "network.nat_gateways",
            f"at most network.availability_zones ({network.availability_zones})",
            "a zone needs one",
        )
    block = IPv4Network(network.cidr)
    if not 16 <= block.prefixlen <= 24 or not any(block.subnet_of(private) for private in _PRIVATE):
        yield Disagreement(
            "network.cidr",
            "a range from /16 to /24 within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16",
            "a VPC has private addresses, and its subnets at least 32 each",
        )
    elif environment.compute == "fargate":
        yield from _room(environment, block)


def _egress(environment: Environment) -> Iterator[Disagreement]:
    egress = environment.network.egress
    if environment.compute == "lambda" and egress != "none":
        yield Disagreement(
            "network.egress", "none where compute is lambda", "nothing in the VPC calls out, and a way out costs"
        )
    if environment.compute == "fargate" and egress == "none":
        yield Disagreement(
            "network.egress", "nat or endpoints where compute is fargate", "a task could not pull its image"
        )


def _room(environment: Environment, block: IPv4Network) -> Iterator[Disagreement]:
    most = max(most for _, most in environment.scaling.bounds().values())
    room = environment.network.availability_zones * (block.num_addresses // _SUBNETS - _SUBNET_TAKEN)
    if 2 * most > room:
        yield Disagreement(
            "network.cidr",
            f"a larger range: {room} addresses are left for tasks, and {2 * most} are needed",
            f"a deployment runs up to twice {most} tasks",
        )


def _adopted_listener(environment: Environment) -> Iterator[Disagreement]:
    of_its_owner = [f"load_balancer.{name}" for name in ("scheme", "allowed_cidrs", "certificate", "authentication")]
    for key in (*of_its_owner, "firewall"):
        if is_given(environment, key):
            yield no_such_key(key, "an adopted listener and its balancer are their owner's")


def _own_listener(environment: Environment) -> Iterator[Disagreement]:
    door, network = environment.load_balancer, environment.network
    if door.certificate == "own" and environment.dns is None:
        yield Disagreement(
            "load_balancer.certificate",
            '"own" only with dns',
            "it is issued for a name, and proven in that name's zone",
        )
    if door.authentication is None:
        return
    if door.certificate is None:
        yield Disagreement(
            "load_balancer.authentication",
            "a load_balancer.certificate beside it",
            "listeners authenticate on HTTPS only",
        )
    if door.scheme == "internal" and network.vpc == "own" and network.egress != "nat":
        yield Disagreement(
            "network.egress",
            "nat with load_balancer.authentication on an internal balancer",
            "the balancer asks whoever issues the tokens",
        )


def _dns(environment: Environment) -> Iterator[Disagreement]:
    dns, door = environment.dns, environment.load_balancer
    if dns is None:
        return
    if not f".{dns.record}".endswith(f".{dns.zone_name}"):
        yield Disagreement("dns.record", f"a name in dns.zone_name ({dns.zone_name})", "a zone has its own names only")
    if isinstance(door.listener, AdoptListener) and door.listener.adopt.hosted_zone_id is None:
        yield Disagreement(
            "load_balancer.listener.adopt.hosted_zone_id", "an id with dns", "the record is an alias of the balancer"
        )
    # https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
    if door.certificate == "own" and len(dns.record) > 64:
        yield Disagreement("dns.record", "at most 64 characters", "a certificate of ACM's is for no longer name")
