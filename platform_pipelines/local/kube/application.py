"""The fields of Argo CD's Application, as its CRD describes them.

Structural, as the real one: what it does not name is pruned. Lists are atomic, and nothing that
matters here is an enum. https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml
"""

from platform_pipelines.local.kube.models import of_model
from platform_pipelines.local.kube.schema import (
    ANY,
    BOOLEAN,
    INT_OR_STRING,
    INTEGER,
    STRING,
    STRING_MAP,
    STRINGS,
    TIME,
    Schema,
    Type,
    listed,
    record,
)

_INFO = listed(record("name", "value", name=STRING, value=STRING))
_DESTINATION = record(name=STRING, namespace=STRING, server=STRING)
_HELM = record(
    apiVersions=STRINGS,
    fileParameters=listed(record(name=STRING, path=STRING)),
    ignoreMissingValueFiles=BOOLEAN,
    kubeVersion=STRING,
    namespace=STRING,
    parameters=listed(record(forceString=BOOLEAN, name=STRING, value=STRING)),
    passCredentials=BOOLEAN,
    releaseName=STRING,
    skipCrds=BOOLEAN,
    skipSchemaValidation=BOOLEAN,
    skipTests=BOOLEAN,
    valueFiles=STRINGS,
    values=STRING,
    valuesObject=ANY,
    version=STRING,
)
_KUSTOMIZE = record(
    apiVersions=STRINGS,
    commonAnnotations=STRING_MAP,
    commonAnnotationsEnvsubst=BOOLEAN,
    commonLabels=STRING_MAP,
    components=STRINGS,
    forceCommonAnnotations=BOOLEAN,
    forceCommonLabels=BOOLEAN,
    ignoreMissingComponents=BOOLEAN,
    images=STRINGS,
    kubeVersion=STRING,
    labelIncludeTemplates=BOOLEAN,
    labelWithoutSelector=BOOLEAN,
    namePrefix=STRING,
    nameSuffix=STRING,
    namespace=STRING,
    patches=listed(
        record(options=Schema(type=Type.MAP, items=BOOLEAN), patch=STRING, path=STRING, target=ANY)
    ),
    replicas=listed(record("count", "name", count=INT_OR_STRING, name=STRING)),
    version=STRING,
)
_VARIABLES = listed(record("name", "value", code=BOOLEAN, name=STRING, value=STRING))
_DIRECTORY = record(
    exclude=STRING,
    include=STRING,
    jsonnet=record(extVars=_VARIABLES, libs=STRINGS, tlas=_VARIABLES),
    recurse=BOOLEAN,
)
_PLUGIN = record(
    env=listed(record("name", "value", name=STRING, value=STRING)),
    name=STRING,
    parameters=listed(record(array=STRINGS, map=STRING_MAP, name=STRING, string=STRING)),
)
_SOURCE = record(
    "repoURL",
    chart=STRING,
    directory=_DIRECTORY,
    helm=_HELM,
    kustomize=_KUSTOMIZE,
    name=STRING,
    path=STRING,
    plugin=_PLUGIN,
    ref=STRING,
    repoURL=STRING,
    targetRevision=STRING,
)
_SOURCES = listed(_SOURCE)
_IGNORED = listed(
    record(
        "kind",
        group=STRING,
        jqPathExpressions=STRINGS,
        jsonPointers=STRINGS,
        kind=STRING,
        managedFieldsManagers=STRINGS,
        name=STRING,
        namespace=STRING,
    )
)
_RETRY = record(
    backoff=record(duration=STRING, factor=INTEGER, maxDuration=STRING),
    limit=INTEGER,
    refresh=BOOLEAN,
)
_SYNC_POLICY = record(
    automated=record(allowEmpty=BOOLEAN, enabled=BOOLEAN, prune=BOOLEAN, selfHeal=BOOLEAN),
    managedNamespaceMetadata=record(annotations=STRING_MAP, labels=STRING_MAP),
    retry=_RETRY,
    syncOptions=STRINGS,
)
_SPEC = record(
    "destination",
    "project",
    destination=_DESTINATION,
    ignoreDifferences=_IGNORED,
    info=_INFO,
    project=STRING,
    revisionHistoryLimit=INTEGER,
    source=_SOURCE,
    sourceHydrator=ANY,
    sources=_SOURCES,
    syncPolicy=_SYNC_POLICY,
)
_INITIATED = record(automated=BOOLEAN, username=STRING)
_SYNC_OPERATION = record(
    autoHealAttemptsCount=INTEGER,
    dryRun=BOOLEAN,
    manifests=STRINGS,
    prune=BOOLEAN,
    resources=listed(
        record("kind", "name", group=STRING, kind=STRING, name=STRING, namespace=STRING)
    ),
    revision=STRING,
    revisions=STRINGS,
    source=_SOURCE,
    sources=_SOURCES,
    syncOptions=STRINGS,
    syncStrategy=record(apply=record(force=BOOLEAN), hook=record(force=BOOLEAN)),
)
_OPERATION = record(info=_INFO, initiatedBy=_INITIATED, retry=_RETRY, sync=_SYNC_OPERATION)
_HEALTH = record(lastTransitionTime=TIME, message=STRING, status=STRING)
_RESULT = record(
    "group",
    "kind",
    "name",
    "namespace",
    "version",
    group=STRING,
    hookPhase=STRING,
    hookType=STRING,
    images=STRINGS,
    kind=STRING,
    message=STRING,
    name=STRING,
    namespace=STRING,
    status=STRING,
    syncPhase=STRING,
    version=STRING,
)
_SYNC_RESULT = record(
    managedNamespaceMetadata=record(annotations=STRING_MAP, labels=STRING_MAP),
    resources=listed(_RESULT),
    revision=STRING,
    revisions=STRINGS,
    source=_SOURCE,
    sources=_SOURCES,
)
_OPERATION_STATE = record(
    "operation",
    "phase",
    "startedAt",
    finishedAt=TIME,
    message=STRING,
    operation=_OPERATION,
    phase=STRING,
    retryCount=INTEGER,
    startedAt=TIME,
    syncResult=_SYNC_RESULT,
)
_HISTORY = record(
    "deployedAt",
    "id",
    deployStartedAt=TIME,
    deployedAt=TIME,
    id=INTEGER,
    initiatedBy=_INITIATED,
    revision=STRING,
    revisions=STRINGS,
    source=_SOURCE,
    sources=_SOURCES,
)
_RESOURCE = record(
    group=STRING,
    health=_HEALTH,
    hook=BOOLEAN,
    kind=STRING,
    name=STRING,
    namespace=STRING,
    requiresDeletionConfirmation=BOOLEAN,
    requiresPruning=BOOLEAN,
    status=STRING,
    syncWave=INTEGER,
    version=STRING,
)
_COMPARED = record(
    "destination",
    destination=_DESTINATION,
    ignoreDifferences=_IGNORED,
    source=_SOURCE,
    sources=_SOURCES,
)
_STATUS = record(
    conditions=listed(
        record("message", "type", lastTransitionTime=TIME, message=STRING, type=STRING)
    ),
    controllerNamespace=STRING,
    health=_HEALTH,
    history=listed(_HISTORY),
    observedAt=TIME,
    operationState=_OPERATION_STATE,
    reconciledAt=TIME,
    resourceHealthSource=STRING,
    resources=listed(_RESOURCE),
    sourceHydrator=ANY,
    sourceType=STRING,
    sourceTypes=STRINGS,
    summary=record(externalURLs=STRINGS, images=STRINGS),
    sync=record("status", comparedTo=_COMPARED, revision=STRING, revisions=STRINGS, status=STRING),
)

APPLICATION = record(
    "metadata",
    "spec",
    apiVersion=STRING,
    kind=STRING,
    metadata=of_model("V1ObjectMeta"),
    operation=_OPERATION,
    spec=_SPEC,
    status=_STATUS,
)
