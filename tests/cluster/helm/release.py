"""Helm as a user has it: the real programs of both major versions, and a release that is the whole application."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.kubectl import KUBECONFIG, Object, Said
from tests.cluster.pair import Pair
from tests.cluster.shop import IMAGE, Shop

RELEASE = "podinfo"
ATOMIC = {3: "--atomic", 4: "--rollback-on-failure"}
REPLACE = {3: ["--force"], 4: ["--force-replace", "--server-side=false"]}


# It states defaults, as charts do. They are not stored, so that every server-side apply of it looks like a change.
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: podinfo
  labels:
    app: podinfo
    {{- with .Values.labels }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  replicas: {{ .Values.replicas }}
  {{- if .Values.idle }}
  paused: true
  {{- end }}
  minReadySeconds: 0
  selector: {matchLabels: {app: podinfo}}
  strategy:
    rollingUpdate: {maxUnavailable: {{ .Values.idle | ternary "100%" 0 }}, maxSurge: 1}
  template:
    metadata:
      labels: {app: {{ .Values.app }}}
      {{- with .Values.annotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      hostNetwork: false
      terminationGracePeriodSeconds: 10
      containers:
        - name: podinfo
          image: IMAGE:{{ .Values.tag }}
          imagePullPolicy: IfNotPresent
          command: [./podinfo, --port=9898, --level=info]
          ports: [{name: http, containerPort: 9898}]
          readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1}
          lifecycle: {preStop: {sleep: {seconds: 3}}}
          {{- with .Values.env }}
          env:
            {{- range $name, $value := . }}
            - {name: {{ $name }}, value: {{ quote $value }}}
            {{- end }}
          {{- end }}
          {{- with .Values.config }}
          envFrom: [{configMapRef: {name: {{ . }}}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ . }}}
          {{- end }}
""".replace("IMAGE", IMAGE)

VALUES: Object = {
    "tag": "6.0.0",
    "app": "podinfo",
    "replicas": 2,
    "idle": False,
    "config": "",
    "env": {},
    "labels": {},
    "annotations": {},
}


@dataclass(frozen=True, slots=True)
class Helm:
    """The release `podinfo` in the namespace of a shop. `home` has the chart, and what Helm keeps for itself."""

    version: int
    program: Path
    shop: Shop
    home: Path

    def __call__(self, *arguments: str, check: bool = True) -> Said:
        """What Helm said; with `check`, a failure is the test's."""
        where = [f"--kubeconfig={KUBECONFIG}", f"--namespace={self.shop.namespace}"]
        own = {f"HELM_{name}_HOME": str(self.home / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        done = subprocess.run(
            [self.program, *arguments, *where],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, **own},
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"helm{self.version} {' '.join(arguments)}\n{done.stdout}{done.stderr}")
        return Said(done.stdout, done.stderr, done.returncode)

    def install(self, *flags: str, **values: Any) -> Said:
        """The chart with these values."""
        return self("install", RELEASE, str(self.chart), *flags, *_set(values))

    def upgrade(self, *flags: str, check: bool = True, **values: Any) -> Said:
        """The chart with these values; whatever is not named has the chart's own, as Helm does it by itself."""
        return self("upgrade", RELEASE, str(self.chart), *flags, *_set(values), check=check)

    def rollback(self, revision: int, *flags: str) -> Said:
        """Back to what the release was in this revision."""
        return self("rollback", RELEASE, str(revision), *flags)

    @property
    def chart(self) -> Path:
        return self.home / "chart"

    def write_chart(self, *others: Object, **values: Any) -> None:
        """The Deployment, with these values unless somebody sets them, and other objects as they are."""
        templates = self.chart / "templates"
        templates.mkdir(parents=True)
        (templates / "deployment.yaml").write_text(DEPLOYMENT)
        (templates / "others.yaml").write_text("".join(f"---\n{json.dumps(other)}\n" for other in others))
        (self.chart / "Chart.yaml").write_text(json.dumps({"apiVersion": "v2", "name": "podinfo", "version": "1.0.0"}))
        (self.chart / "values.yaml").write_text(json.dumps(VALUES | values))

    @property
    def state(self) -> str:
        """What `helm status` calls the release."""
        return str(json.loads(self("status", RELEASE, "-o", "json").out)["info"]["status"])

    @property
    def history(self) -> list[str]:
        """The states of all revisions of the release, the oldest first."""
        return [str(entry["status"]) for entry in json.loads(self("history", RELEASE, "-o", "json").out)]


class Twins(Pair[Helm]):
    """The same release in both. What is done to both means the same to both."""

    def __call__(self, command: Callable[[Helm], Said]) -> Said:
        """Do this to both, and compare how it ended and what they mean then. What the managed one's user was told."""
        said, told_twin = self.both(command)
        assert said.code == told_twin.code, said.err + told_twin.err
        assert self.managed.shop.desired == self.twin.shop.desired
        return said

    def install(self, *flags: str, **values: Any) -> Said:
        """`Helm.install` of both; returns when they count as available, from when on the managed one is protected."""
        said = self(lambda helm: helm.install(*flags, **values))
        self.managed.shop("wait", "deployment/podinfo", "--for=condition=available", "--timeout=30s")
        return said

    def upgrade(self, *flags: str, check: bool = True, **values: Any) -> Said:
        """`Helm.upgrade` of both."""
        return self(lambda helm: helm.upgrade(*flags, check=check, **values))

    def kubectl(self, *arguments: str) -> Said:
        """The same command about both."""
        return self(lambda helm: helm.shop(*arguments))


def books(version: int) -> set[tuple[str, str]]:
    """The owner of a template that only Helm has written."""
    return {("helm", "Update" if version == 3 else "Apply")}


def told(said: Said) -> list[str]:
    """The lines that admission added, as either Helm logs them on stderr."""
    return re.findall(r'\] "Warning: (.*)"$', said.err, re.MULTILINE)


def _set(values: Mapping[str, Any]) -> list[str]:
    return [f"--set-json={name}={json.dumps(value)}" for name, value in values.items()]
