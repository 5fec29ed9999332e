"""Fields of what is no part of Kubernetes, as far as the chart uses it: KEDA's and the Prometheus Operator's, strictly.

KEDA 2.x: https://keda.sh/docs/2.18/reference/scaledobject-spec/ and .../scalers/prometheus/. Prometheus Operator:
https://prometheus-operator.dev/docs/api-reference/api/
"""

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string", "minLength": 1}
WHOLE: Schema = {"type": "integer", "minimum": 0}
# KEDA reads the metadata of a trigger as strings; a number is refused by the API server.
NUMBER_AS_TEXT: Schema = {"type": "string", "pattern": r"^\d+(\.\d+)?$"}
TRUTH_AS_TEXT: Schema = {"enum": ["true", "false"]}
DURATION: Schema = {"type": "string", "pattern": r"^\d+(ms|s|m|h)$"}


def fields(required: str = "", /, **properties: Schema) -> Schema:
    """An object of these fields and no other. required: names with spaces between."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": required.split(),
    }


def listed(item: Schema) -> Schema:
    """A list that has one at least."""
    return {"type": "array", "items": item, "minItems": 1}


def resource(spec: Schema) -> Schema:
    """A custom resource of this spec."""
    return fields(
        "apiVersion kind metadata spec",
        apiVersion=TEXT,
        kind=TEXT,
        metadata=fields("name", name=TEXT, labels={"type": "object", "additionalProperties": {"type": "string"}}),
        spec=spec,
    )


PROMETHEUS_TRIGGER = fields(
    "type metadata",
    type={"const": "prometheus"},
    name=TEXT,
    useCachedMetrics={"type": "boolean"},
    metricType={"enum": ["AverageValue", "Value"]},
    authenticationRef=fields(
        "name", name=TEXT, kind={"enum": ["TriggerAuthentication", "ClusterTriggerAuthentication"]}
    ),
    metadata=fields(
        "serverAddress query threshold",
        serverAddress={"type": "string", "pattern": "^https?://"},
        query=TEXT,
        queryParameters=TEXT,
        threshold=NUMBER_AS_TEXT,
        activationThreshold=NUMBER_AS_TEXT,
        namespace=TEXT,
        customHeaders=TEXT,
        ignoreNullValues=TRUTH_AS_TEXT,
        unsafeSsl=TRUTH_AS_TEXT,
        timeout=NUMBER_AS_TEXT,
        authModes=TEXT,
    ),
)

SCALED_OBJECT = resource(
    fields(
        "scaleTargetRef triggers",
        scaleTargetRef=fields("name", apiVersion=TEXT, kind=TEXT, name=TEXT, envSourceContainerName=TEXT),
        pollingInterval=WHOLE,
        initialCooldownPeriod=WHOLE,
        cooldownPeriod=WHOLE,
        idleReplicaCount=WHOLE,
        minReplicaCount=WHOLE,
        maxReplicaCount={"type": "integer", "minimum": 1},
        fallback=fields("failureThreshold replicas", failureThreshold=WHOLE, replicas=WHOLE),
        advanced=fields(
            restoreToOriginalReplicaCount={"type": "boolean"},
            # What is in `behavior` is Kubernetes' own, and checked as part of an autoscaler.
            horizontalPodAutoscalerConfig=fields(name=TEXT, behavior={"type": "object"}),
        ),
        triggers=listed(PROMETHEUS_TRIGGER),
    )
)

SERVICE_MONITOR = resource(
    fields(
        "selector endpoints",
        jobLabel=TEXT,
        selector=fields("matchLabels", matchLabels={"type": "object", "additionalProperties": {"type": "string"}}),
        endpoints=listed(
            fields(
                "port",
                port=TEXT,
                path={"type": "string", "pattern": "^/"},
                interval=DURATION,
                authorization=fields("credentials", type=TEXT, credentials=fields("name key", name=TEXT, key=TEXT)),
            )
        ),
    )
)

PROMETHEUS_RULE = resource(
    fields(
        "groups",
        groups=listed(
            fields(
                "name rules",
                name=TEXT,
                rules=listed(
                    {
                        **fields("alert expr", alert=TEXT, expr=TEXT, labels={"type": "object"}, **{"for": DURATION}),
                        "additionalProperties": {"type": "object"},
                    }
                ),
            )
        ),
    )
)

SCHEMAS = {"ScaledObject": SCALED_OBJECT, "ServiceMonitor": SERVICE_MONITOR, "PrometheusRule": PROMETHEUS_RULE}
