"""What CloudFormation asks AWS when it compares a resource with its template, by resource type.

It does so with the permissions of whoever asked for the comparison, so they are part of Dagster's
own policies. They come from the `read` handlers of AWS's resource schemas; a test holds them to
that, without what would read a secret's value, or belongs to a feature that no template of ours has.
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from collections.abc import Mapping


def _actions(*services: str) -> tuple[str, ...]:
    """`"acm: DescribeCertificate ListTags"` is the two actions of that service."""
    pairs = ((service, names) for service, _, names in (one.partition(": ") for one in services))
    return tuple(f"{service}:{name}" for service, names in pairs for name in names.split())


READS: Mapping[str, tuple[str, ...]] = {
    "AWS::CertificateManager::Certificate": _actions(
        "acm: DescribeCertificate ListTagsForCertificate",
    ),
    "AWS::Chatbot::SlackChannelConfiguration": _actions(
        "chatbot: DescribeSlackChannelConfigurations ListAssociations",
    ),
    "AWS::CloudWatch::Alarm": _actions("cloudwatch: DescribeAlarms ListTagsForResource"),
    "AWS::CloudWatch::Dashboard": _actions("cloudwatch: GetDashboard ListTagsForResource"),
    "AWS::CodeBuild::Project": _actions("codebuild: BatchGetProjects"),
    "AWS::CodeConnections::Connection": _actions(
        "codeconnections: GetConnection ListTagsForResource",
    ),
    "AWS::CodePipeline::Pipeline": _actions(
        "codepipeline: GetPipeline GetPipelineState ListTagsForResource",
    ),
    "AWS::CodeStarNotifications::NotificationRule": _actions(
        "codestar-notifications: DescribeNotificationRule",
    ),
    "AWS::DynamoDB::GlobalTable": _actions(
        "dynamodb: DescribeContinuousBackups DescribeContributorInsights",
        "dynamodb: DescribeKinesisStreamingDestination DescribeTable DescribeTimeToLive",
        "dynamodb: GetResourcePolicy ListTagsOfResource",
        "kms: DescribeKey",
    ),
    "AWS::EC2::EIP": _actions("ec2: DescribeAddresses"),
    "AWS::EC2::FlowLog": _actions("ec2: DescribeFlowLogs"),
    "AWS::EC2::InternetGateway": _actions("ec2: DescribeInternetGateways"),
    "AWS::EC2::LaunchTemplate": _actions("ec2: DescribeLaunchTemplates"),
    "AWS::EC2::NatGateway": _actions("ec2: DescribeNatGateways"),
    "AWS::EC2::Route": _actions("ec2: DescribeRouteTables"),
    "AWS::EC2::RouteTable": _actions("ec2: DescribeRouteTables"),
    "AWS::EC2::SecurityGroup": _actions("ec2: DescribeSecurityGroups"),
    "AWS::EC2::Subnet": _actions("ec2: DescribeNetworkAcls DescribeSubnets"),
    "AWS::EC2::SubnetRouteTableAssociation": _actions("ec2: DescribeRouteTables"),
    "AWS::EC2::VPC": _actions(
        "ec2: DescribeNetworkAcls DescribeSecurityGroups DescribeVpcAttribute",
        "ec2: DescribeVpcEncryptionControls DescribeVpcs",
    ),
    "AWS::EC2::VPCEndpoint": _actions(
        "ec2: DescribeSecurityGroups DescribeSubnets DescribeVpcEndpoints DescribeVpcs",
    ),
    "AWS::EC2::VPCGatewayAttachment": _actions("ec2: DescribeInternetGateways DescribeVpnGateways"),
    "AWS::ECR::ReplicationConfiguration": _actions("ecr: DescribeRegistry"),
    "AWS::ECR::Repository": _actions(
        "ecr: DescribeRepositories GetLifecyclePolicy GetRepositoryPolicy ListTagsForResource",
    ),
    "AWS::EFS::AccessPoint": _actions("elasticfilesystem: DescribeAccessPoints"),
    "AWS::EFS::FileSystem": _actions(
        "elasticfilesystem: DescribeBackupPolicy DescribeFileSystemPolicy DescribeFileSystems",
        "elasticfilesystem: DescribeLifecycleConfiguration DescribeReplicationConfigurations",
    ),
    "AWS::EFS::MountTarget": _actions(
        "elasticfilesystem: DescribeMountTargetSecurityGroups DescribeMountTargets",
    ),
    "AWS::EKS::AccessEntry": _actions("eks: DescribeAccessEntry ListAssociatedAccessPolicies"),
    "AWS::EKS::Addon": _actions("eks: DescribeAddon"),
    "AWS::EKS::Cluster": _actions("eks: DescribeCluster"),
    "AWS::EKS::Nodegroup": _actions("eks: DescribeNodegroup"),
    "AWS::EKS::PodIdentityAssociation": _actions("eks: DescribePodIdentityAssociation"),
    "AWS::FIS::ExperimentTemplate": _actions("fis: GetExperimentTemplate ListTagsForResource"),
    "AWS::IAM::Role": _actions(
        "iam: GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies",
    ),
    "AWS::KMS::Alias": _actions("kms: ListAliases"),
    "AWS::KMS::Key": _actions(
        "kms: DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags",
    ),
    "AWS::Logs::LogGroup": _actions(
        "logs: DescribeIndexPolicies DescribeLogGroups DescribeResourcePolicies",
        "logs: GetDataProtectionPolicy ListTagsForResource",
    ),
    "AWS::RDS::DBCluster": _actions("rds: DescribeDBClusters"),
    "AWS::RDS::DBClusterParameterGroup": _actions(
        "rds: DescribeDBClusterParameterGroups DescribeDBClusterParameters ListTagsForResource",
    ),
    "AWS::RDS::DBInstance": _actions(
        "ec2: DescribeAccountAttributes DescribeAvailabilityZones DescribeInternetGateways",
        "ec2: DescribeSecurityGroups DescribeSubnets DescribeVpcAttribute DescribeVpcs",
        "rds: DescribeDBInstances",
    ),
    "AWS::RDS::DBParameterGroup": _actions(
        "rds: DescribeDBParameterGroups DescribeDBParameters ListTagsForResource",
    ),
    "AWS::RDS::DBSubnetGroup": _actions("rds: DescribeDBSubnetGroups ListTagsForResource"),
    "AWS::RDS::GlobalCluster": _actions("rds: DescribeGlobalClusters ListTagsForResource"),
    "AWS::Route53::HealthCheck": _actions("route53: GetHealthCheck ListTagsForResource"),
    "AWS::Route53::HostedZone": _actions(
        "route53: GetHostedZone ListQueryLoggingConfigs ListTagsForResource",
    ),
    "AWS::Route53::RecordSet": _actions(
        "route53: GetHostedZone ListHostedZones ListResourceRecordSets",
    ),
    "AWS::S3::Bucket": _actions(
        "s3: GetAccelerateConfiguration GetAnalyticsConfiguration GetBucketAbac GetBucketCORS",
        "s3: GetBucketLogging GetBucketMetadataTableConfiguration GetBucketNotification",
        "s3: GetBucketObjectLockConfiguration GetBucketOwnershipControls",
        "s3: GetBucketPublicAccessBlock GetBucketTagging GetBucketVersioning GetBucketWebsite",
        "s3: GetEncryptionConfiguration GetIntelligentTieringConfiguration",
        "s3: GetInventoryConfiguration GetLifecycleConfiguration GetMetricsConfiguration",
        "s3: GetReplicationConfiguration ListBucket",
    ),
    "AWS::S3::BucketPolicy": _actions("s3: GetBucketPolicy"),
    "AWS::SNS::Topic": _actions(
        "sns: GetDataProtectionPolicy GetTopicAttributes ListSubscriptionsByTopic",
        "sns: ListTagsForResource",
    ),
    "AWS::SNS::TopicPolicy": _actions("sns: GetTopicAttributes"),
    "AWS::SecretsManager::Secret": _actions("secretsmanager: DescribeSecret"),
}
