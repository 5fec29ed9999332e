"""What the Helm chart refuses while it renders, before anything is installed."""

from typing import Any

import pytest

from tests.house.charts import HAS_HELM, render_all

pytestmark = pytest.mark.skipif(not HAS_HELM, reason="helm-python-sdk, which renders charts, is not here")

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nobody is let in": ({}, "Say who is let in"),
    "two ways in": ({"access": {"open": True, "keysSecret": "a"}}, "in one way"),
    "keys in a store that is not shared": (
        {"access": {"keysInStore": True}, "store": {"enabled": False}},
        "store.enabled",
    ),
    "no Redis": ({"access": {"open": True}, "redis": {"enabled": False}}, "redis.url"),
    "Prometheus without a key": (
        {"access": {"keysSecret": "a"}, "monitoring": {"serviceMonitor": True}},
        "monitoring.keySecret",
    ),
    "Prometheus by another name": (
        {"access": {"open": True, "hosts": ["faces.example.org"]}, "monitoring": {"serviceMonitor": True}},
        "access.hosts",
    ),
    "webhooks that nothing signs": ({"access": {"open": True}, "webhooks": {"enabled": True}}, "webhooks.secret"),
    "scaling without Prometheus": (
        {"access": {"open": True}, "gpuWorker": {"enabled": True, "autoscaling": {"enabled": True}}},
        "prometheusUrl",
    ),
    "nobody who would take the first job": (
        {
            "access": {"open": True},
            "worker": {"lanes": ["idle"]},
            "gpuWorker": {
                "enabled": True,
                "autoscaling": {"enabled": True, "minReplicas": 0, "prometheusUrl": "http://prometheus:9090"},
            },
        },
        "minReplicas=0 needs CPU workers",
    ),
    "a value that is none": ({"access": {"open": True}, "web": {"replica": 3}}, "replica"),
    "a setting that has a value of its own": (
        {"access": {"open": True}, "settings": {"open": False}},
        "propertyName 'open'",
    ),
    "a size that is none": ({"access": {"open": True}, "store": {"size": "10 GB"}}, "size"),
}


def test_what_cannot_work_is_refused_with_a_sentence() -> None:
    answers, _ = render_all([values for values, _ in REFUSED.values()])
    for (name, (_, sentence)), answer in zip(REFUSED.items(), answers, strict=True):
        assert sentence in answer.get("refused", ""), f"{name}: {answer.get('refused', 'was rendered')}"
