from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest

from stacks import prices
from stacks.assembly import Resource
from stacks.charges import FREE, PRICED
from stacks.cost import assumptions, charges, estimate, table
from stacks.errors import CommandError
from stacks.prices import Price
from stacks.site import Site
from stacks.traffic import Traffic
from tests.stacks.synthesis import Synthesis


def resource(kind: str, logical_id: str = "It", stack: str = "Serving", **properties: Any) -> Resource:
    return Resource(stack, logical_id, kind, properties)


def cost(*resources: Resource, at: float = 0) -> Mapping[str, float]:
    """US dollars a month by resource; what rounds to nothing is left out."""
    total: dict[str, float] = defaultdict(float)
    for charge in charges(Site(resources, Traffic(at))):
        total[charge.resource] += charge.quantity * charge.price.usd
    return {name: round(usd, 2) for name, usd in total.items() if round(usd, 2)}


def tasks(
    *, least: int = 2, most: int = 4, target: float = 60_000, public: bool = False, **changed: Any
) -> list[Resource]:
    """A service of half a vCPU and 1 GB a task, that scales on requests."""
    definition = {"Cpu": "512", "Memory": "1024", "RuntimePlatform": {"CpuArchitecture": "X86_64"}}
    network = {"AwsvpcConfiguration": {"AssignPublicIp": "ENABLED" if public else "DISABLED"}}
    return [
        resource("AWS::ECS::TaskDefinition", **{**definition, **changed}),
        resource("AWS::ECS::Service", NetworkConfiguration=network, **changed),
        resource(
            "AWS::ApplicationAutoScaling::ScalableTarget", ServiceNamespace="ecs", MinCapacity=least, MaxCapacity=most
        ),
        resource(
            "AWS::ApplicationAutoScaling::ScalingPolicy",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": target,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget"},
            },
        ),
    ]


def balancer(scheme: str = "internet-facing", zones: int = 2) -> Resource:
    return resource("AWS::ElasticLoadBalancingV2::LoadBalancer", Scheme=scheme, Subnets=["subnet"] * zones)


def test_every_resource_of_every_environment_is_priced_or_known_to_be_free(synthesis: Synthesis) -> None:
    unknown = {found.type for found in synthesis.resources()} - PRICED.keys() - FREE
    assert unknown == set()


def test_no_type_is_both_priced_and_free() -> None:
    assert PRICED.keys() & FREE == set()


def test_a_type_that_nobody_knows_is_named() -> None:
    with pytest.raises(CommandError, match="AWS::Gold::Bar is neither priced nor known to be free"):
        estimate([resource("AWS::Gold::Bar")], 100)


def test_every_price_has_its_page_and_the_month_it_is_known_from() -> None:
    found = [value for value in vars(prices).values() if isinstance(value, Price)]
    found += [price for table in vars(prices).values() if isinstance(table, dict) for price in table.values()]
    found = [price for price in found if isinstance(price, Price)]
    assert len(found) > 30
    for price in found:
        assert price.usd > 0
        assert price.source.startswith("https://aws.amazon.com/")
        assert "2025-01" <= price.as_of <= "2026-11"


def test_tasks_cost_their_processors_and_memory_all_month() -> None:
    # 2 tasks x 730 hours x (0.5 vCPU x $0.04048 + 1 GB x $0.004445)
    assert cost(*tasks())["Fargate tasks"] == 36.04


def test_arm_is_cheaper_than_x86() -> None:
    assert cost(*tasks(RuntimePlatform={"CpuArchitecture": "ARM64"}))["Fargate tasks"] == 28.84


@pytest.mark.parametrize(
    ("strategy", "on_demand", "spot"),
    [
        ([{"CapacityProvider": "FARGATE_SPOT", "Weight": 100}], None, 21.62),
        (
            [
                {"CapacityProvider": "FARGATE", "Base": 1, "Weight": 50},
                {"CapacityProvider": "FARGATE_SPOT", "Weight": 50},
            ],
            36.04,
            10.81,
        ),
        ([{"CapacityProvider": "FARGATE", "Weight": 1}], 72.08, None),
    ],
)
def test_spot_has_its_share_of_the_tasks_and_three_tenths_of_the_price(
    strategy: list[dict[str, Any]], on_demand: float | None, spot: float | None
) -> None:
    found = cost(*tasks(least=4, CapacityProviderStrategy=strategy))
    # Of four tasks, one is the base and the other three are shared out by weight: two go to Spot.
    assert (found.get("Fargate tasks"), found.get("Fargate Spot tasks")) == (on_demand, spot)


@pytest.mark.parametrize(("at", "count"), [(0, 2), (1900, 2), (2100, 3), (1e5, 4)])
def test_traffic_adds_tasks_by_the_scalings_target_up_to_its_bound(at: float, count: int) -> None:
    assert cost(*tasks(), at=at)["Fargate tasks"] == pytest.approx(count * 18.02, abs=0.02)


def test_the_strictest_of_several_targets_holds() -> None:
    policies = tasks(target=30_000)[3:]
    assert cost(*tasks(), *policies, at=1400)["Fargate tasks"] == pytest.approx(3 * 18.02, abs=0.02)


def test_a_task_with_a_public_address_pays_for_it() -> None:
    assert cost(*tasks(public=True))["Public IPv4 addresses"] == 7.30
    assert "Public IPv4 addresses" not in cost(*tasks())


def test_a_balancer_costs_its_hours_its_addresses_and_its_capacity() -> None:
    idle, load = cost(balancer()), cost(balancer(), at=100)
    assert idle == {"Load balancer": 16.43, "Public IPv4 addresses": 7.30}
    # 100/s x 1,600 bytes are 0.536 GB an hour, more than any other dimension; 146.8 GB of answers leave AWS.
    assert load["Load balancer's capacity"] == 3.13
    assert load["Answers to the internet"] == 13.22


def test_an_internal_balancer_has_no_public_address_and_answers_within() -> None:
    assert cost(balancer("internal"), at=100).keys() == {"Load balancer", "Load balancer's capacity"}


def test_a_function_as_a_target_processes_less_for_a_unit() -> None:
    function = resource(
        "AWS::Lambda::Function",
        Architectures=["arm64"],
        MemorySize=2048,
        Environment={"Variables": {"ALPHARD_MODEL_URI": "s3://models/churn@production"}},
    )
    alias = resource("AWS::Lambda::Alias", ProvisionedConcurrencyConfig={"ProvisionedConcurrentExecutions": 2})
    assert cost(balancer(), function, at=100)["Load balancer's capacity"] == pytest.approx(3.13 / 0.4, abs=0.01)
    on_demand, provisioned = cost(function, at=100), cost(function, alias, at=100)
    # 262.8 million requests of 20 ms with 2 GB
    assert on_demand["Function's requests"] == 52.56
    assert on_demand["Function's duration"] == 140.16
    assert "Function's provisioned concurrency" not in on_demand
    # Two instances of 2 GB all month, and cheaper seconds.
    assert provisioned["Function's provisioned concurrency"] == 35.04
    assert provisioned["Function's duration"] == 81.76


def test_a_function_that_serves_nobody_costs_nothing() -> None:
    assert cost(resource("AWS::Lambda::Function", Architectures=["arm64"], MemorySize=128), at=100) == {}


def test_our_requests_take_capacity_of_an_adopted_balancer_too() -> None:
    rule = resource("AWS::ElasticLoadBalancingV2::ListenerRule")
    assert cost(rule, at=100) == {"Adopted load balancer's capacity": 3.13}
    assert "Adopted load balancer's capacity" not in cost(rule, balancer(), at=100)


def test_more_than_ten_rules_are_charged_for_being_looked_at() -> None:
    rules = [resource("AWS::ElasticLoadBalancingV2::ListenerRule", f"R{n}") for n in range(30)]
    assert cost(balancer(), *rules, at=100)["Load balancer's capacity"] == 11.68


def test_nat_costs_its_hours_and_what_the_tasks_log_through_it() -> None:
    gateways = [resource("AWS::EC2::NatGateway", f"N{n}") for n in range(3)]
    idle, load = cost(*gateways, *tasks()), cost(*gateways, *tasks(), at=100)
    assert idle["NAT gateways"] == load["NAT gateways"] == 98.55
    assert load["NAT gateways' data"] - idle["NAT gateways' data"] == pytest.approx(3.30, abs=0.01)


def test_an_interface_endpoint_costs_by_zone_and_a_gateway_nothing() -> None:
    interface = resource(
        "AWS::EC2::VPCEndpoint", VpcEndpointType="Interface", SubnetIds=["a", "b"], ServiceName="com.amazonaws.x.logs"
    )
    gateway = resource("AWS::EC2::VPCEndpoint", VpcEndpointType="Gateway", ServiceName="com.amazonaws.x.s3")
    found = cost(interface, gateway, at=100)
    assert found == {"Interface endpoints": 14.60, "Interface endpoints' data": 0.73}


def test_a_request_writes_a_line_which_is_kept_as_long_as_the_retention_says() -> None:
    group = resource("AWS::Logs::LogGroup", stack="Storage", RetentionInDays=365)
    idle, load = cost(*tasks(), group), cost(*tasks(), group, at=100)
    # 73.4 GB a month, of which a year is kept at 15% of its size
    assert load["Logs of the service"] - idle["Logs of the service"] == pytest.approx(36.71 + 3.96, abs=0.05)
    assert cost(*tasks())["Metrics of the service"] == 6.00


def test_flow_logs_grow_with_the_connections() -> None:
    flow_log = resource("AWS::EC2::FlowLog", stack="Network", LogGroupName={"Ref": "Flows"})
    group = resource("AWS::Logs::LogGroup", "Flows", "Network", RetentionInDays=30)
    checked = resource("AWS::ElasticLoadBalancingV2::TargetGroup", HealthCheckIntervalSeconds=5)
    site = [flow_log, group, balancer(), checked, *tasks()]
    idle, load = cost(*site)["Flow logs"], cost(*site, at=100)["Flow logs"]
    assert 0 < idle < 1
    assert load - idle == pytest.approx(10.77 * 0.5 + 10.77 * 0.15 * 0.03, abs=0.05)


def test_access_logs_are_kept_until_they_expire() -> None:
    rules = {"Rules": [{"NoncurrentVersionExpiration": {}}, {"ExpirationInDays": 365}]}
    logs = resource("AWS::S3::Bucket", stack="Storage", BucketName="alphard-dev-logs-1", LifecycleConfiguration=rules)
    models = resource("AWS::S3::Bucket", stack="Storage", BucketName="alphard-dev-models-1")
    found = cost(logs, models, balancer(), at=100)
    assert found["Access logs of the balancer"] == pytest.approx(24.48 * 12 * 0.023 + 0.09, abs=0.05)
    assert found["Models"] == 0.02
    assert cost(logs, at=100) == {}


def test_an_alarm_costs_by_the_metrics_that_it_reads() -> None:
    computed = [{"Id": "a", "MetricStat": {}}, {"Id": "b", "MetricStat": {}}, {"Id": "e", "Expression": "a/b"}]
    simple = resource("AWS::CloudWatch::Alarm", MetricName="m")
    assert cost(simple, resource("AWS::CloudWatch::Alarm", "Two", Metrics=computed))["Alarms"] == 0.30
    assert cost(resource("AWS::CloudWatch::CompositeAlarm"))["Composite alarms"] == 0.50
    assert cost(*tasks())["Alarms of the scaling"] == 0.20


@pytest.mark.parametrize(("level", "usd"), [("disabled", None), ("enabled", 12.0), ("enhanced", 7.0)])
def test_container_insights_cost_by_their_series(level: str, usd: float | None) -> None:
    settings = [{"Name": "containerInsights", "Value": level}]
    assert cost(resource("AWS::ECS::Cluster", ClusterSettings=settings), *tasks()).get("Container Insights") == usd


def test_a_web_firewall_costs_by_rule_and_request() -> None:
    found = cost(resource("AWS::WAFv2::WebACL", Rules=[{}, {}, {}]), at=100)
    assert found == {"Web firewall": 5.0, "Web firewall's rules": 3.0, "Web firewall's requests": 157.68}


@pytest.mark.parametrize(
    ("found", "usd"),
    [
        (resource("AWS::CloudWatch::Dashboard"), {"Dashboard": 3.0}),
        (resource("AWS::EC2::EIP"), {"Public IPv4 addresses": 3.65}),
        (resource("AWS::ECR::Repository"), {"Images": 0.5}),
        (resource("AWS::KMS::Key"), {"Keys": 1.0}),
        (resource("AWS::Logs::MetricFilter"), {"Metrics of log filters": 0.3}),
        (resource("AWS::SNS::Subscription", Protocol="email"), {}),  # 100 of them are a fifth of a cent
    ],
)
def test_the_rest_costs_by_its_number(found: Resource, usd: Mapping[str, float]) -> None:
    assert cost(found) == usd


def test_the_table_shows_the_dearest_first_and_a_total_that_is_their_sum() -> None:
    found = estimate([*tasks(), balancer()], 100)
    assert [line.load_usd for line in found.lines] == sorted((line.load_usd for line in found.lines), reverse=True)
    first, *lines, total, tasks_line = table("dev", found).splitlines()
    assert tasks_line == (
        "2 tasks idle, 2 at 100/s: the scaling adds one for each 1,000 requests a second, within its bounds"
    )
    assert first.split() == ["dev", "price", "unit", "idle", "USD", "at", "100/s", "USD"]
    shown = [float(line.split()[-1].replace(",", "")) for line in lines]
    assert float(total.split()[-1].replace(",", "")) == pytest.approx(sum(shown), abs=0.1)
    assert found.idle_usd < found.load_usd


def test_a_table_without_tasks_tells_of_none() -> None:
    assert table("dev", estimate([balancer()], 100)).splitlines()[-1].startswith("total a month")


def test_the_assumptions_name_the_region_and_the_dates() -> None:
    first, *rest = assumptions().splitlines()
    assert "us-east-1" in first
    assert "2025-01 to 2026-06" in first
    assert len(rest) > 5
