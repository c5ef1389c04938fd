"""List prices of AWS in US East (N. Virginia), without free tiers, discounts or taxes."""

from __future__ import annotations

from typing import NamedTuple

REGION = "us-east-1"


class Price(NamedTuple):
    """US dollars for one ``unit``.

    ``source`` is the page that states it, ``as_of`` the last month for which it is known to have stood there.
    """

    usd: float
    unit: str
    source: str
    as_of: str


_FARGATE = "https://aws.amazon.com/fargate/pricing/"
_ELB = "https://aws.amazon.com/elasticloadbalancing/pricing/"
_VPC = "https://aws.amazon.com/vpc/pricing/"
_PRIVATELINK = "https://aws.amazon.com/privatelink/pricing/"
_EC2 = "https://aws.amazon.com/ec2/pricing/on-demand/"
_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
_WAF = "https://aws.amazon.com/waf/pricing/"
_ECR = "https://aws.amazon.com/ecr/pricing/"
_S3 = "https://aws.amazon.com/s3/pricing/"
_SNS = "https://aws.amazon.com/sns/pricing/"
_KMS = "https://aws.amazon.com/kms/pricing/"
_LAMBDA = "https://aws.amazon.com/lambda/pricing/"

FARGATE_VCPU = {
    "X86_64": Price(0.04048, "vCPU-hour", _FARGATE, "2026-06"),
    "ARM64": Price(0.03238, "vCPU-hour", _FARGATE, "2026-04"),
}
FARGATE_MEMORY = {
    "X86_64": Price(0.004445, "GB-hour", _FARGATE, "2026-06"),
    "ARM64": Price(0.00356, "GB-hour", _FARGATE, "2026-04"),
}
FARGATE_SPOT_SHARE = 0.3
"""What Spot costs of the price on demand: AWS gives "up to 70%" off and moves the price slowly (the Fargate page)."""

LAMBDA_REQUESTS = Price(0.20, "million requests", _LAMBDA, "2026-05")
LAMBDA_DURATION = {
    "x86_64": Price(0.0000166667, "GB-second", _LAMBDA, "2026-05"),
    "arm64": Price(0.0000133334, "GB-second", _LAMBDA, "2026-05"),
}
LAMBDA_PROVISIONED = {
    "x86_64": Price(0.0000041667, "GB-second", _LAMBDA, "2025-01"),
    "arm64": Price(0.0000033334, "GB-second", _LAMBDA, "2025-01"),
}
LAMBDA_PROVISIONED_DURATION = {
    "x86_64": Price(0.0000097222, "GB-second", _LAMBDA, "2026-05"),
    "arm64": Price(0.0000077778, "GB-second", _LAMBDA, "2025-01"),
}

LOAD_BALANCER = Price(0.0225, "hour", _ELB, "2025-01")
LOAD_BALANCER_CAPACITY = Price(0.008, "LCU-hour", _ELB, "2025-01")

NAT_GATEWAY = Price(0.045, "hour", _VPC, "2026-05")
NAT_DATA = Price(0.045, "GB", _VPC, "2026-05")
PUBLIC_IPV4 = Price(0.005, "hour", _VPC, "2026-02")
INTERFACE_ENDPOINT = Price(0.01, "hour and zone", _PRIVATELINK, "2026-03")
INTERFACE_ENDPOINT_DATA = Price(0.01, "GB", _PRIVATELINK, "2026-03")
INTERNET_DATA = Price(0.09, "GB", _EC2, "2026-05")

ALARM = Price(0.10, "alarm metric", _CLOUDWATCH, "2026-06")
COMPOSITE_ALARM = Price(0.50, "alarm", _CLOUDWATCH, "2026-06")
DASHBOARD = Price(3.00, "dashboard", _CLOUDWATCH, "2026-06")
CUSTOM_METRIC = Price(0.30, "metric", _CLOUDWATCH, "2026-06")
ENHANCED_METRIC = Price(0.07, "metric", _CLOUDWATCH, "2026-06")
LOG_INGESTION = Price(0.50, "GB", _CLOUDWATCH, "2026-06")
LOG_STORAGE = Price(0.03, "GB-month", _CLOUDWATCH, "2026-06")

WEB_ACL = Price(5.00, "web ACL", _WAF, "2026-06")
WEB_ACL_RULE = Price(1.00, "rule", _WAF, "2026-06")
WEB_ACL_REQUESTS = Price(0.60, "million requests", _WAF, "2026-06")

IMAGE_STORAGE = Price(0.10, "GB-month", _ECR, "2025-01")
OBJECT_STORAGE = Price(0.023, "GB-month", _S3, "2025-01")
OBJECT_READS = Price(0.40, "million requests", _S3, "2025-01")
OBJECT_WRITES = Price(5.00, "million requests", _S3, "2025-01")
NOTIFICATIONS = Price(20.00, "million e-mails", _SNS, "2025-01")
KEY = Price(1.00, "key", _KMS, "2025-01")
