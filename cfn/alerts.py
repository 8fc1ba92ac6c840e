"""Stack `alerts` (each): who hears of trouble, and of what.

Alarms speak to one topic, the pipelines' notification rules to another; both are encrypted with the
Region's key. AWS allows one configuration for a Slack channel in an account, for both Regions' topics:
it is made with the Region that is applied last, and belongs to no Region, so an outage takes none away.
"""

from typing import Any

from troposphere import GetAtt, Output, Parameter, Ref, Template
from troposphere.chatbot import SlackChannelConfiguration
from troposphere.codestarnotifications import NotificationRule, Target
from troposphere.sns import Topic, TopicPolicy

from cfn import alarms, dashboard, parameters, watched
from cfn.names import logical
from cfn.service_role import Statement, allow, document, service_role
from platform_pipelines.model import Platform, Region, Service, Slack

ALARMS, DELIVERIES = "alarms", "deliveries"
EVENTS = ("failed", "canceled", "succeeded")  # of a pipeline's execution
# Chat may look at metrics and nothing else, whatever its role allows.
GUARDRAIL = "arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess"


def build(platform: Platform, region: Region) -> Template:
    """The Region's topics, alarms, rules and dashboard. Outputs: AlarmsTopic, DrillStop."""
    template = Template(Description=f"{platform.platform}: the alerts in {region.name}")
    parameters.add(template, "Key")
    for name in ("FileSystems", "PeerFileSystems"):
        template.add_parameter(Parameter(name, Type="CommaDelimitedList"))
    own = {"StringEquals": {"aws:SourceAccount": platform.account}}
    # AWS documents no such key for notifications: with it a rule could fall silent.
    for name, publisher, condition in (
        (ALARMS, "cloudwatch", own),
        (DELIVERIES, "codestar-notifications", None),
    ):
        topic = template.add_resource(_topic(platform, name))
        template.add_resource(_topic_policy(topic, publisher, condition))
    found = watched.watched(platform, region)
    alarms.add(template, platform, found, Ref(logical("Topic", ALARMS)))
    for service in platform.services:
        if service.source:
            template.add_resource(_rule(platform, region, service))
    template.add_resource(dashboard.dashboard(platform, region, found))
    if platform.alerts.slack and region != platform.home_region:
        _add_chat(template, platform, platform.alerts.slack)
    template.add_output(Output("AlarmsTopic", Value=Ref(logical("Topic", ALARMS))))
    template.add_output(Output("DrillStop", Value=GetAtt(logical("Alarm", *watched.STOP), "Arn")))
    return template


def topic_arn(platform: Platform, region: Region, name: str) -> str:
    """The ARN of a topic."""
    return f"arn:aws:sns:{region.name}:{platform.account}:{platform.platform}-{name}"


def _topic(platform: Platform, name: str) -> Topic:
    return Topic(
        logical("Topic", name),
        TopicName=f"{platform.platform}-{name}",
        KmsMasterKeyId=Ref("Key"),
    )


def _topic_policy(topic: Topic, publisher: str, condition: dict[str, Any] | None) -> TopicPolicy:
    """One service publishes, and only over TLS.
    https://docs.aws.amazon.com/dtconsole/latest/userguide/set-up-sns.html
    """
    may: Statement = {
        "Sid": "Publish",
        "Effect": "Allow",
        "Principal": {"Service": f"{publisher}.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": Ref(topic),
    }
    may |= {"Condition": condition} if condition else {}
    tls: Statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": Ref(topic),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return TopicPolicy(
        f"{topic.title}Policy", Topics=[Ref(topic)], PolicyDocument=document([may, tls])
    )


def _rule(platform: Platform, region: Region, service: Service) -> NotificationRule:
    """How a pipeline ended. The topic leads to the Slack channel, and to whoever subscribes."""
    name = platform.pipeline_name(service)
    return NotificationRule(
        logical("Rule", service.name),
        Name=name,
        DetailType="FULL",
        Resource=f"arn:aws:codepipeline:{region.name}:{platform.account}:{name}",
        EventTypeIds=[f"codepipeline-pipeline-pipeline-execution-{event}" for event in EVENTS],
        Targets=[Target(TargetType="SNS", TargetAddress=Ref(logical("Topic", DELIVERIES)))],
        DependsOn=logical("Topic", DELIVERIES, "Policy"),
    )


def _add_chat(template: Template, platform: Platform, slack: Slack) -> None:
    """Both Regions' topics: home's are there already, this Region's are made with it."""
    role = template.add_resource(service_role(platform, "ChatRole", "chatbot", _looks()))
    here = [Ref(logical("Topic", name)) for name in (ALARMS, DELIVERIES)]
    home = [topic_arn(platform, platform.home_region, name) for name in (ALARMS, DELIVERIES)]
    topics: list[Any] = [*here, *home]
    template.add_resource(
        SlackChannelConfiguration(
            "Chat",
            ConfigurationName=platform.platform,
            SlackWorkspaceId=slack.workspace,
            SlackChannelId=slack.channel,
            IamRoleArn=GetAtt(role, "Arn"),
            SnsTopicArns=topics,
            GuardrailPolicies=[GUARDRAIL],
            LoggingLevel="ERROR",
        )
    )


def _looks() -> list[Statement]:
    """An alarm's message carries a picture of its metric."""
    return [allow(["cloudwatch:Describe*", "cloudwatch:Get*", "cloudwatch:List*"], "*")]
