"""What each resource of a template is charged for in a month, under a constant traffic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from stacks import prices, traffic
from stacks.assembly import Resource
from stacks.prices import Price
from stacks.site import BALANCER, Site
from stacks.traffic import GB, HOURS


class Charge(NamedTuple):
    """``quantity`` of the price's unit in a month, for what a person calls ``resource``."""

    resource: str
    price: Price
    quantity: float


Pricer = Callable[[Site, Sequence[Resource]], Iterator[Charge]]


def _services(site: Site, services: Sequence[Resource]) -> Iterator[Charge]:
    for service in services:
        (definition,) = site.of("AWS::ECS::TaskDefinition")
        architecture = definition.properties.get("RuntimePlatform", {}).get("CpuArchitecture", "X86_64")
        vcpus, gb = int(definition.properties["Cpu"]) / 1024, int(definition.properties["Memory"]) / 1024
        spot = _spot_tasks(service.properties.get("CapacityProviderStrategy", ()), site.tasks)
        for name, count, share in (
            ("Fargate tasks", site.tasks - spot, 1.0),
            ("Fargate Spot tasks", spot, prices.FARGATE_SPOT_SHARE),
        ):
            for price, size in (
                (prices.FARGATE_VCPU[architecture], vcpus),
                (prices.FARGATE_MEMORY[architecture], gb),
            ):
                yield Charge(name, price._replace(usd=price.usd * share), count * size * HOURS)
        if "'AssignPublicIp': 'ENABLED'" in str(service.properties):
            yield Charge("Public IPv4 addresses", prices.PUBLIC_IPV4, site.tasks * HOURS)
        yield from _telling(site)


def _spot_tasks(strategy: Sequence[Mapping[str, Any]], tasks: int) -> int:
    """How many of the tasks are on Spot: each provider has its base first, the rest goes by weight."""
    base = {item["CapacityProvider"]: int(item.get("Base", 0)) for item in strategy}
    weight = {item["CapacityProvider"]: int(item.get("Weight", 0)) for item in strategy}
    share = weight.get("FARGATE_SPOT", 0) / max(sum(weight.values()), 1)
    return min(base.get("FARGATE_SPOT", 0), tasks) + round(max(tasks - sum(base.values()), 0) * share)


def _telling(site: Site) -> Iterator[Charge]:
    """What the service says of itself, wherever its log group is, and its looks at whether the model's alias moved."""
    yield Charge("Logs of the service", prices.LOG_INGESTION, site.log_gb)
    yield Charge("Metrics of the service", prices.CUSTOM_METRIC, traffic.SERVICE_METRICS)
    polls = site.tasks * HOURS * 3600 / traffic.POLL_SECONDS
    yield Charge("Looks at the model's alias", prices.OBJECT_READS, polls / 1e6)


def _functions(site: Site, functions: Sequence[Resource]) -> Iterator[Charge]:
    function = site.serving_function
    if function is None or function not in functions:
        return
    (architecture,) = function.properties["Architectures"]
    gb = int(function.properties["MemorySize"]) / 1024
    provisioned = sum(
        int(holder.properties["ProvisionedConcurrencyConfig"]["ProvisionedConcurrentExecutions"])
        for holder in site.of("AWS::Lambda::Alias", "AWS::Lambda::Version")
        if "ProvisionedConcurrencyConfig" in holder.properties
    )
    duration = prices.LAMBDA_PROVISIONED_DURATION if provisioned else prices.LAMBDA_DURATION
    seconds = site.traffic.requests * traffic.FUNCTION_SECONDS
    yield Charge("Function's requests", prices.LAMBDA_REQUESTS, site.traffic.requests / 1e6)
    yield Charge("Function's duration", duration[architecture], seconds * gb)
    yield Charge(
        "Function's provisioned concurrency", prices.LAMBDA_PROVISIONED[architecture], provisioned * gb * HOURS * 3600
    )
    yield from _telling(site)


def _balancers(site: Site, balancers: Sequence[Resource]) -> Iterator[Charge]:
    for balancer in balancers:
        yield Charge("Load balancer", prices.LOAD_BALANCER, HOURS)
        yield Charge("Load balancer's capacity", prices.LOAD_BALANCER_CAPACITY, _capacity_units(site) * HOURS)
        if balancer.properties.get("Scheme") == "internet-facing":
            yield Charge("Public IPv4 addresses", prices.PUBLIC_IPV4, site.zones * HOURS)
            yield Charge("Answers to the internet", prices.INTERNET_DATA, site.traffic.gb(traffic.ANSWER_BYTES))


def _rules(site: Site, _: Sequence[Resource]) -> Iterator[Charge]:
    """What our requests add to a load balancer that is adopted; an own one counts them itself."""
    if not site.of(BALANCER):
        yield Charge("Adopted load balancer's capacity", prices.LOAD_BALANCER_CAPACITY, _capacity_units(site) * HOURS)


def _capacity_units(site: Site) -> float:
    """The largest of the four dimensions (https://aws.amazon.com/elasticloadbalancing/pricing/); ten rules are free."""
    connections, requests = site.traffic.connections_per_second, site.traffic.requests_per_second
    bytes_an_hour = requests * 3600 * (traffic.REQUEST_BYTES + traffic.ANSWER_BYTES)
    return max(
        connections / 25,
        connections * traffic.CONNECTION_SECONDS / 3000,
        bytes_an_hour / GB / (0.4 if site.serving_function else 1.0),
        max(len(site.of("AWS::ElasticLoadBalancingV2::ListenerRule")) - 10, 0) * requests / 1000,
    )


def _nat_gateways(site: Site, gateways: Sequence[Resource]) -> Iterator[Charge]:
    yield Charge("NAT gateways", prices.NAT_GATEWAY, len(gateways) * HOURS)
    if site.tasks:
        yield Charge("NAT gateways' data", prices.NAT_DATA, site.log_gb)


def _addresses(_: Site, addresses: Sequence[Resource]) -> Iterator[Charge]:
    yield Charge("Public IPv4 addresses", prices.PUBLIC_IPV4, len(addresses) * HOURS)


def _endpoints(site: Site, endpoints: Sequence[Resource]) -> Iterator[Charge]:
    for endpoint in endpoints:
        if endpoint.properties.get("VpcEndpointType") == "Interface":
            zones = len(endpoint.properties["SubnetIds"])
            yield Charge("Interface endpoints", prices.INTERFACE_ENDPOINT, zones * HOURS)
            if ".logs" in str(endpoint.properties["ServiceName"]):
                yield Charge("Interface endpoints' data", prices.INTERFACE_ENDPOINT_DATA, site.log_gb)


def _flow_logs(site: Site, flow_logs: Sequence[Resource]) -> Iterator[Charge]:
    yield Charge("Flow logs", prices.LOG_INGESTION, len(flow_logs) * site.flow_gb)


def _log_groups(site: Site, groups: Sequence[Resource]) -> Iterator[Charge]:
    """What is stored of a group once the first of it expires."""
    flow_logs = {(log.stack, str(log.properties.get("LogGroupName"))) for log in site.of("AWS::EC2::FlowLog")}
    for group in groups:
        months = int(group.properties.get("RetentionInDays", 365)) * 24 / HOURS
        if (group.stack, str({"Ref": group.logical_id})) in flow_logs:
            yield Charge("Flow logs", prices.LOG_STORAGE, site.flow_gb * traffic.STORED_SHARE * months)
        elif group.stack == "Storage":
            yield Charge("Logs of the service", prices.LOG_STORAGE, site.log_gb * traffic.STORED_SHARE * months)


def _alarms(_: Site, alarms: Sequence[Resource]) -> Iterator[Charge]:
    """Each metric of an alarm counts, and so do those that it computes with."""
    computed = [alarm.properties["Metrics"] for alarm in alarms if "Metrics" in alarm.properties]
    parts = sum("MetricStat" in metric for metrics in computed for metric in metrics)
    yield Charge("Alarms", prices.ALARM, len(alarms) - len(computed) + parts)


def _scaling(_: Site, policies: Sequence[Resource]) -> Iterator[Charge]:
    """Target tracking makes two alarms of its own: one to scale out, one to scale in."""
    yield Charge("Alarms of the scaling", prices.ALARM, 2 * len(policies))


def _composite_alarms(_: Site, alarms: Sequence[Resource]) -> Iterator[Charge]:
    yield Charge("Composite alarms", prices.COMPOSITE_ALARM, len(alarms))


def _dashboards(_: Site, dashboards: Sequence[Resource]) -> Iterator[Charge]:
    yield Charge("Dashboard", prices.DASHBOARD, len(dashboards))


def _metric_filters(_: Site, filters: Sequence[Resource]) -> Iterator[Charge]:
    yield Charge("Metrics of log filters", prices.CUSTOM_METRIC, len(filters))


def _web_acls(site: Site, acls: Sequence[Resource]) -> Iterator[Charge]:
    for acl in acls:
        yield Charge("Web firewall", prices.WEB_ACL, 1)
        yield Charge("Web firewall's rules", prices.WEB_ACL_RULE, len(acl.properties.get("Rules", ())))
        yield Charge("Web firewall's requests", prices.WEB_ACL_REQUESTS, site.traffic.requests / 1e6)


def _repositories(_: Site, repositories: Sequence[Resource]) -> Iterator[Charge]:
    yield Charge("Images", prices.IMAGE_STORAGE, len(repositories) * traffic.IMAGE_GB)


def _buckets(site: Site, buckets: Sequence[Resource]) -> Iterator[Charge]:
    for bucket in buckets:
        if "-models-" in str(bucket.properties.get("BucketName")):
            yield Charge("Models", prices.OBJECT_STORAGE, traffic.MODEL_GB)
        else:
            months = _days_kept(bucket) * 24 / HOURS
            kept_gb = site.traffic.gb(traffic.BALANCER_LINE_BYTES) * months if site.zones else 0.0
            yield Charge("Access logs of the balancer", prices.OBJECT_STORAGE, kept_gb)
            files = site.zones * HOURS * 60 / traffic.BALANCER_LOG_MINUTES
            yield Charge("Access logs of the balancer", prices.OBJECT_WRITES, files / 1e6)


def _days_kept(bucket: Resource) -> int:
    """Until the last of the bucket's own objects expire; a year where nothing says it."""
    rules = bucket.properties.get("LifecycleConfiguration", {}).get("Rules", ())
    return max((int(rule["ExpirationInDays"]) for rule in rules if "ExpirationInDays" in rule), default=365)


def _topics(_: Site, subscriptions: Sequence[Resource]) -> Iterator[Charge]:
    addresses = [subscription for subscription in subscriptions if subscription.properties["Protocol"] == "email"]
    yield Charge("Alarm e-mails", prices.NOTIFICATIONS, len(addresses) * traffic.E_MAILS / 1e6)


def _keys(_: Site, keys: Sequence[Resource]) -> Iterator[Charge]:
    yield Charge("Keys", prices.KEY, len(keys))


def _clusters(site: Site, clusters: Sequence[Resource]) -> Iterator[Charge]:
    """With Container Insights a cluster and its service have metrics of their own, and enhanced each task too."""
    for cluster in clusters:
        level = {item["Name"]: item["Value"] for item in cluster.properties.get("ClusterSettings", ())}
        match level.get("containerInsights"):
            case "enabled":
                yield Charge("Container Insights", prices.CUSTOM_METRIC, traffic.CLUSTER_METRICS)
            case "enhanced":
                metrics = traffic.CLUSTER_METRICS + site.tasks * traffic.TASK_METRICS
                yield Charge("Container Insights", prices.ENHANCED_METRIC, metrics)


PRICED: Mapping[str, Pricer] = {
    "AWS::ApplicationAutoScaling::ScalingPolicy": _scaling,
    "AWS::CloudWatch::Alarm": _alarms,
    "AWS::CloudWatch::CompositeAlarm": _composite_alarms,
    "AWS::CloudWatch::Dashboard": _dashboards,
    "AWS::EC2::EIP": _addresses,
    "AWS::EC2::FlowLog": _flow_logs,
    "AWS::EC2::NatGateway": _nat_gateways,
    "AWS::EC2::VPCEndpoint": _endpoints,
    "AWS::ECR::Repository": _repositories,
    "AWS::ECS::Cluster": _clusters,
    "AWS::ECS::Service": _services,
    "AWS::ElasticLoadBalancingV2::ListenerRule": _rules,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _balancers,
    "AWS::KMS::Key": _keys,
    "AWS::Lambda::Function": _functions,
    "AWS::Logs::LogGroup": _log_groups,
    "AWS::Logs::MetricFilter": _metric_filters,
    "AWS::S3::Bucket": _buckets,
    "AWS::SNS::Subscription": _topics,
    "AWS::WAFv2::WebACL": _web_acls,
}

FREE = frozenset(
    {
        # Access, names and wiring.
        "AWS::CertificateManager::Certificate",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::ECS::ClusterCapacityProviderAssociations",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::OIDCProvider",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Lambda::Permission",
        "AWS::Logs::ResourcePolicy",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::SSM::Parameter",  # of the standard tier
        "AWS::WAFv2::WebACLAssociation",
        # Charged by use, of which there is none or next to none: AWS's own events, aliases to a balancer, the lines of
        # blocked requests, releases of a function.
        "AWS::CodeDeploy::Application",
        "AWS::CodeDeploy::DeploymentGroup",
        "AWS::Events::Rule",
        "AWS::Route53::RecordSet",
        "AWS::SNS::Topic",
        "AWS::WAFv2::LoggingConfiguration",
        # Charged with what they belong to.
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ECS::TaskDefinition",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::Lambda::Alias",
        "AWS::Lambda::Version",
        # Saved queries are charged when somebody runs them.
        "AWS::Logs::QueryDefinition",
    }
)
