"""Which operations ministack answers as AWS would, of the services of which we answer none.

Each was tried: it does what it says, and says so when it cannot. What ministack only writes down (a
lifecycle that never expires anything, a rotation without a function) is left out, so that a caller
hears "not implemented" instead of a success without effect.
"""

from collections.abc import Mapping

# S3 has a Service of ours, too, for the rest.
S3_OPERATIONS = frozenset(
    {
        *("CreateBucket", "HeadBucket", "ListBuckets", "GetBucketLocation", "DeleteBucket"),
        *("PutObject", "GetObject", "HeadObject", "CopyObject", "DeleteObject", "DeleteObjects"),
        *("ListObjects", "ListObjectsV2", "ListObjectVersions"),
        *("PutBucketVersioning", "GetBucketVersioning"),
        *("PutBucketEncryption", "GetBucketEncryption", "DeleteBucketEncryption"),
        *("PutPublicAccessBlock", "GetPublicAccessBlock", "DeletePublicAccessBlock"),
        *("PutBucketOwnershipControls", "GetBucketOwnershipControls"),
        "DeleteBucketOwnershipControls",
        *("PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy"),
        *("PutBucketTagging", "GetBucketTagging", "DeleteBucketTagging"),
        *("PutObjectTagging", "GetObjectTagging", "DeleteObjectTagging"),
        *("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"),
        *("AbortMultipartUpload", "ListParts", "ListMultipartUploads"),
    }
)
_SSM = frozenset(
    {
        *("PutParameter", "GetParameter", "GetParameters", "GetParametersByPath"),
        *("DeleteParameter", "DeleteParameters", "DescribeParameters", "GetParameterHistory"),
        *("AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource"),
    }
)

PASSED: Mapping[str, frozenset[str]] = {
    "ssm": _SSM,
    "sts": frozenset({"GetCallerIdentity"}),
}
