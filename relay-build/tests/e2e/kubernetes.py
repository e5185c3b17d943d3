"""Whether the manifests of a directory fit each other: names that one uses must be in another. Their form is
kubernetes-validate's to judge."""

import pathlib
import sys

import yaml

directory = pathlib.Path(sys.argv[1])
kustomization = yaml.safe_load((directory / "kustomization.yaml").read_text())
assert sorted(kustomization["resources"] + ["kustomization.yaml"]) == sorted(path.name for path in directory.iterdir())
objects = {}
for name in kustomization["resources"]:
    loaded = yaml.safe_load((directory / name).read_text())
    objects[loaded["kind"]] = loaded

workload = objects.get("StatefulSet") or objects["Deployment"]
service, budget = objects["Service"], objects["PodDisruptionBudget"]
pod = workload["spec"]["template"]
(container,) = pod["spec"]["containers"]


def selects(labels):
    return labels.items() <= pod["metadata"]["labels"].items()


assert selects(workload["spec"]["selector"]["matchLabels"])
assert selects(service["spec"]["selector"])
assert selects(budget["spec"]["selector"]["matchLabels"])
ports = {port["name"]: port for port in container["ports"]}
assert len(ports) == len(container["ports"]), "names of ports are told apart"
for port in service["spec"]["ports"]:
    target = ports[port["targetPort"]]
    assert (target["containerPort"], target.get("protocol")) == (port["port"], port.get("protocol"))
for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
    assert "protocol" not in ports[container[probe]["tcpSocket"]["port"]], "a connection is TCP"
volumes = {volume["name"] for volume in pod["spec"].get("volumes", [])}
if workload["kind"] == "StatefulSet":
    assert workload["spec"]["serviceName"] == service["metadata"]["name"]
    volumes |= {claim["metadata"]["name"] for claim in workload["spec"]["volumeClaimTemplates"]}
used = {mount["name"] for mount in container.get("volumeMounts", [])}
assert used == volumes, f"{used} are mounted of {volumes}"
print(workload["kind"], "fits")
