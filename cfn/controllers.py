"""What runs in a cluster and speaks to AWS, beside Dagster: under which service account, with what.

None of it may touch what it did not make: the load balancer controller is held to its cluster's tag,
ExternalDNS to its Region's own names, so that it can never move a host to another Region.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cfn.service_role import Statement, allow
from platform_pipelines.model import Platform, Region

TAG = "elbv2.k8s.aws/cluster"  # the load balancer controller's, on all that it makes
RECORDS = ("A", "AAAA", "CNAME", "TXT")  # TXT: by which ExternalDNS knows its own
AGENT = "arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy"
_BALANCERS = ("loadbalancer/app/*/*", "loadbalancer/net/*/*", "targetgroup/*/*")
_LISTENERS = tuple(
    f"{kind}/{of}/*/*/*" for kind in ("listener", "listener-rule") for of in ("app", "net")
)

Work = Callable[[Platform, Region], list[Statement]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """Pods that take one role."""

    name: str
    namespace: str
    accounts: tuple[str, ...]  # service accounts
    work: Work | None = None
    managed: tuple[str, ...] = ()  # policies that AWS keeps
    addon: str = ""  # the add-on that brings the pods, which must not start without the role


def _load_balancers(platform: Platform, region: Region) -> list[Statement]:
    """As the controller's project publishes it, held to this Region and to the cluster's tag.
    https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/"""
    cluster = platform.cluster_name(region)
    asked = {f"aws:RequestTag/{TAG}": cluster}
    owned = {"StringEquals": {f"aws:ResourceTag/{TAG}": cluster}}
    here = {"StringEquals": {"aws:RequestedRegion": region.name}}
    balancers = _here(platform, region, "elasticloadbalancing", *_BALANCERS)
    listeners = _here(platform, region, "elasticloadbalancing", *_LISTENERS)
    groups = _here(platform, region, "ec2", "security-group/*")
    linked = {"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}}
    made = {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup", **asked}}
    balanced = ["CreateLoadBalancer", "CreateTargetGroup"]
    fresh = {"StringEquals": {"elasticloadbalancing:CreateAction": balanced, **asked}}
    return [
        allow(["iam:CreateServiceLinkedRole"], "*", linked),
        allow(_LOOKS, "*", here),
        allow(_named("ec2", "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress"), groups),
        allow(["ec2:CreateSecurityGroup"], [*groups, *_here(platform, region, "ec2", "vpc/*")]),
        allow(["ec2:CreateTags"], groups, made),
        allow(_named("ec2", "CreateTags DeleteTags DeleteSecurityGroup"), groups, owned),
        allow(
            _named("elasticloadbalancing", " ".join(balanced)), balancers, {"StringEquals": asked}
        ),
        allow(["elasticloadbalancing:AddTags"], balancers, fresh),
        allow(_named("elasticloadbalancing", "AddTags RemoveTags"), balancers, owned),
        allow(_named("elasticloadbalancing", "AddTags RemoveTags"), listeners),
        allow(_named("elasticloadbalancing", _OWNED), balancers, owned),
        allow(_named("elasticloadbalancing", _ROUTED), [*balancers, *listeners]),
    ]


def _records(platform: Platform, region: Region) -> list[Statement]:
    """Only `<region>.<host>` and the TXT records beside it, as `a-<region>.<host>`."""
    hosts = [service.regional_host(region) for service in platform.services]
    mine = {
        "ForAllValues:StringLike": {
            "route53:ChangeResourceRecordSetsNormalizedRecordNames": [
                name for host in hosts for name in (host, f"*-{host}")
            ]
        },
        "ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": list(RECORDS)},
    }
    zones = "arn:aws:route53:::hostedzone/*"
    return [
        allow(["route53:ChangeResourceRecordSets"], zones, mine),
        allow(_named("route53", "ListResourceRecordSets ListTagsForResources"), zones),
        allow(["route53:ListHostedZones"], "*"),
    ]


def _volumes(platform: Platform, region: Region) -> list[Statement]:
    """Volumes are static, so nothing is made: the driver only looks up what it mounts."""
    found = _here(platform, region, "elasticfilesystem", "file-system/*", "access-point/*")
    looks = "DescribeAccessPoints DescribeFileSystems DescribeMountTargets"
    return [
        allow(_named("elasticfilesystem", looks), found),
        allow(["ec2:DescribeAvailabilityZones"], "*"),
    ]


def _charts(platform: Platform, region: Region) -> list[Statement]:
    """Argo CD's repository server reads charts from the Region's own registry."""
    pull = "BatchCheckLayerAvailability BatchGetImage GetDownloadUrlForLayer"
    return [
        allow(["ecr:GetAuthorizationToken"], "*"),
        allow(_named("ecr", pull), _here(platform, region, "ecr", "repository/*")),
    ]


def _here(platform: Platform, region: Region, service: str, *resources: str) -> list[str]:
    return [f"arn:aws:{service}:{region.name}:{platform.account}:{one}" for one in resources]


def _named(service: str, names: str) -> list[str]:
    return [f"{service}:{name}" for name in names.split()]


_OWNED = (
    "DeleteLoadBalancer DeleteTargetGroup DeregisterTargets ModifyCapacityReservation "
    "ModifyIpPools ModifyLoadBalancerAttributes ModifyTargetGroup ModifyTargetGroupAttributes "
    "RegisterTargets SetIpAddressType SetSecurityGroups SetSubnets"
)
# AWS tells listeners and rules apart from others by their load balancer only, not by its tags.
_ROUTED = (
    "AddListenerCertificates CreateListener CreateRule DeleteListener DeleteRule ModifyListener "
    "ModifyListenerAttributes ModifyRule RemoveListenerCertificates SetRulePriorities"
)
_LOOKS = (
    *_named(
        "ec2",
        "DescribeAccountAttributes DescribeAddresses DescribeAvailabilityZones DescribeCoipPools "
        "DescribeInstances DescribeInternetGateways DescribeIpamPools DescribeNetworkInterfaces "
        "DescribeRouteTables DescribeSecurityGroups DescribeSubnets DescribeTags "
        "DescribeVpcPeeringConnections DescribeVpcs GetCoipPoolUsage GetSecurityGroupsForVpc",
    ),
    *_named(
        "elasticloadbalancing",
        "DescribeCapacityReservation DescribeListenerAttributes DescribeListenerCertificates "
        "DescribeListeners DescribeLoadBalancerAttributes DescribeLoadBalancers DescribeRules "
        "DescribeSSLPolicies DescribeTags DescribeTargetGroupAttributes DescribeTargetGroups "
        "DescribeTargetHealth DescribeTrustStores",
    ),
    *_named("acm", "DescribeCertificate ListCertificates"),
    *_named("wafv2", "GetWebACL GetWebACLForResource"),
)

CONTROLLERS: tuple[Controller, ...] = (
    Controller(
        name="load-balancers",
        namespace="kube-system",
        accounts=("aws-load-balancer-controller",),
        work=_load_balancers,
    ),
    Controller(name="records", namespace="external-dns", accounts=("external-dns",), work=_records),
    Controller(
        name="volumes",
        namespace="kube-system",
        accounts=("efs-csi-controller-sa", "efs-csi-node-sa"),
        work=_volumes,
    ),
    Controller(
        name="observability",
        namespace="amazon-cloudwatch",
        accounts=("cloudwatch-agent",),
        managed=(AGENT,),
        addon="amazon-cloudwatch-observability",
    ),
    Controller(name="argocd", namespace="argocd", accounts=("argocd-repo-server",), work=_charts),
)
