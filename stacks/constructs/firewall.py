"""AWS WAF before the load balancer: what AWS knows to be bad is blocked, and so is who asks too often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

# A prediction's body is data, which the service decodes by a schema and nobody runs. It may be longer than the 8 KB
# that WAF sees of it, and a text that is to be classified may hold a URL, a path or a script. And programs need not say
# who they are.
_COUNTED_OF_COMMON_RULES = (
    "SizeRestrictions_BODY",
    "CrossSiteScripting_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
    "EC2MetaDataSSRF_BODY",
    "NoUserAgent_HEADER",
)

# https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
_MANAGED: Mapping[str, Sequence[str]] = {
    "AWSManagedRulesAmazonIpReputationList": (),
    "AWSManagedRulesCommonRuleSet": _COUNTED_OF_COMMON_RULES,
    "AWSManagedRulesKnownBadInputsRuleSet": (),
}
_RATE_SECONDS = 300
_NEVER_LOGGED = ("authorization", "cookie")


class Firewall(Construct):
    """Blocks an address for as long as it made more than ``rate_limit`` requests in the last five minutes, and requests
    that AWS's managed rules are sure of. What is blocked is logged, but for the headers that let a client in. What is
    only counted has metrics: every long body is among it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        load_balancer_arn: str,
        rate_limit: int,
        log_retention_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self.web_acl = wafv2.CfnWebACL(
            self,
            "WebAcl",
            name=name,
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow=wafv2.CfnWebACL.AllowActionProperty()),
            visibility_config=_measured(name),
            rules=[
                _rate(0, rate_limit),
                *(_managed(priority, *rules) for priority, rules in enumerate(_MANAGED.items(), start=1)),
            ],
        )
        wafv2.CfnWebACLAssociation(
            self, "Association", resource_arn=load_balancer_arn, web_acl_arn=self.web_acl.attr_arn
        )
        self._log(f"aws-waf-logs-{name}", log_retention_days)

    def _log(self, log_group_name: str, retention_days: int) -> None:
        """WAF takes no group whose name begins otherwise, and lets itself write to it by a policy of its own.
        https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html
        """
        group = logs.CfnLogGroup(self, "LogGroup", log_group_name=log_group_name, retention_in_days=retention_days)
        group.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        arn = cdk.Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name=log_group_name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        logging = wafv2.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=self.web_acl.attr_arn,
            log_destination_configs=[arn],
            redacted_fields=[
                wafv2.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": header})
                for header in _NEVER_LOGGED
            ],
            logging_filter={
                "DefaultBehavior": "DROP",
                "Filters": [
                    {
                        "Behavior": "KEEP",
                        "Requirement": "MEETS_ANY",
                        "Conditions": [{"ActionCondition": {"Action": "BLOCK"}}],
                    }
                ],
            },
        )
        logging.add_resource_dependency(group)


def _rate(priority: int, limit: int) -> wafv2.CfnWebACL.RuleProperty:
    return wafv2.CfnWebACL.RuleProperty(
        name="RateLimit",
        priority=priority,
        action=wafv2.CfnWebACL.RuleActionProperty(block=wafv2.CfnWebACL.BlockActionProperty()),
        statement=wafv2.CfnWebACL.StatementProperty(
            rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="IP", limit=limit, evaluation_window_sec=_RATE_SECONDS
            )
        ),
        visibility_config=_measured("RateLimit"),
    )


def _managed(priority: int, name: str, counted: Sequence[str]) -> wafv2.CfnWebACL.RuleProperty:
    count = wafv2.CfnWebACL.RuleActionProperty(count=wafv2.CfnWebACL.CountActionProperty())
    return wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
        statement=wafv2.CfnWebACL.StatementProperty(
            managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS",
                name=name,
                rule_action_overrides=[
                    wafv2.CfnWebACL.RuleActionOverrideProperty(name=rule, action_to_use=count) for rule in counted
                ]
                or None,
            )
        ),
        visibility_config=_measured(name),
    )


def _measured(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    """Sampled requests are left out: they show headers in the console, those that let a client in among them."""
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )
