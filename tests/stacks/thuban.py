"""What Thuban, the network baseline, already owns in the account that is deployed first, under its real names.

The identifiers that AWS gave (of the VPC, its subnets, the balancer and its listener) are made up in AWS's form.
"""

from __future__ import annotations

ACCOUNT = "123456789012"
REGION = "eu-central-1"

CLUSTER = "alphard-cluster"
REPOSITORY = "alphard-inference"
LOAD_BALANCER = "alphard-alb"
TARGET_GROUP = "alphard-tg"
LOG_GROUP = "/ecs/alphard"
DELIVERY_ROLE = "constellation-github-actions-alphard"

NAMES = {
    "AWS::ECS::Cluster": CLUSTER,
    "AWS::ECR::Repository": REPOSITORY,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": LOAD_BALANCER,
    "AWS::ElasticLoadBalancingV2::TargetGroup": TARGET_GROUP,
    "AWS::Logs::LogGroup": LOG_GROUP,
    "AWS::IAM::Role": DELIVERY_ROLE,
}
"""Each name with the type of resource that has it; a name is taken within its type, account and region."""

LISTENER_ARN = (
    f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:listener/app/{LOAD_BALANCER}/50dc6c495c0c9188/f2f7dc8efc522ab2"
)
DNS_NAME = f"{LOAD_BALANCER}-1234567890.{REGION}.elb.amazonaws.com"
SECURITY_GROUP_ID = "sg-0123456789abcdef0"
OIDC_PROVIDER_ARN = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
"""Of which an account has one only; so has it one service-linked role of ECS, which is Thuban's too."""

# The account's default VPC: public subnets only.
VPC_ID = "vpc-0123456789abcdef0"
AVAILABILITY_ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
PUBLIC_SUBNET_IDS = ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1", "subnet-0123456789abcdef2")
