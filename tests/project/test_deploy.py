"""What docs/deploy offers, held to Kubernetes' own schemas and to what the service is."""

import re
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from tintype.serving.settings import PREFIX, Settings

NEWEST = kubernetes_validate.latest_version()
MANIFESTS = ("kubernetes.yaml", "kubernetes-gpu.yaml")


def resources(root, name) -> list[dict[str, Any]]:
    return list(YAML(typ="safe").load_all(root / "docs/deploy" / name))


def of_kind(root, name, kind):
    return next(resource for resource in resources(root, name) if resource["kind"] == kind)


def pod(root, name):
    return of_kind(root, name, "Deployment")["spec"]["template"]["spec"]


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifests_are_what_kubernetes_takes(root, name):
    found = resources(root, name)
    assert [resource["kind"] for resource in found] == [
        "Deployment",
        "Service",
        "PodDisruptionBudget",
        "NetworkPolicy",
    ]
    for resource in found:
        kubernetes_validate.validate(resource, NEWEST, strict=True)


def test_the_schemas_would_notice(root):
    resource = of_kind(root, "kubernetes.yaml", "Deployment")
    resource["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(resource, NEWEST, strict=True)


@pytest.mark.parametrize("name", MANIFESTS)
def test_all_parts_mean_the_same_pods(root, name):
    labels = of_kind(root, name, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert of_kind(root, name, "Deployment")["spec"]["selector"]["matchLabels"] == labels
    assert of_kind(root, name, "Service")["spec"]["selector"] == labels
    assert of_kind(root, name, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert of_kind(root, name, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels


@pytest.mark.parametrize("name", MANIFESTS)
def test_pods_run_without_rights_as_the_images_user(root, name):
    spec = pod(root, name)
    container = spec["containers"][0]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["runAsUser"] == 1034
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"name": "scratch", "mountPath": "/tmp"} in container["volumeMounts"]


@pytest.mark.parametrize("name", MANIFESTS)
def test_kubernetes_waits_longer_than_the_service_takes_to_stop(root, name):
    settings, spec = Settings(), pod(root, name)
    pause = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    work = 60  # seconds: the service's own allowance for what waits in its queue
    assert (
        spec["terminationGracePeriodSeconds"] > settings.read_seconds + settings.send_seconds + work + pause
    )


def test_probes_ask_what_they_are_for(root):
    for name in MANIFESTS:
        container = pod(root, name)["containers"][0]
        paths = {
            kind: container[f"{kind}Probe"]["httpGet"]["path"]
            for kind in ("startup", "readiness", "liveness")
        }
        assert paths == {"startup": "/readyz", "readiness": "/readyz", "liveness": "/livez"}


def test_only_the_gpu_variant_asks_for_a_gpu(root):
    limits = [pod(root, name)["containers"][0]["resources"]["limits"] for name in MANIFESTS]
    assert ["nvidia.com/gpu" in limit for limit in limits] == [False, True]


def test_the_table_of_settings_is_whole(root):
    text = (root / "docs/deploy.md").read_text()
    told = set(re.findall(rf"^\| `({PREFIX}\w+)`", text, re.M))
    # Where the model comes from is not a setting of a packed service.
    assert told == {
        PREFIX + name.upper() for name in Settings.model_fields if name not in ("bundle", "model")
    }
    for name in MANIFESTS:
        used = {variable["name"] for variable in pod(root, name)["containers"][0]["env"]}
        assert used <= told
