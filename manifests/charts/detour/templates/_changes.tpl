{{- /* Whether an object belongs to the release; empty if it does not. */ -}}
{{- define "detour.wanted" -}}
{{- $kind := .object.kind -}}
{{- if eq $kind "CustomResourceDefinition" -}}
{{- if and .values.crds.install (not (include "detour.foreign" .object)) }}yes{{ end -}}
{{- else if eq $kind "PodDisruptionBudget" -}}
{{- if .values.podDisruptionBudget.enabled }}yes{{ end -}}
{{- else if eq $kind "NetworkPolicy" -}}
{{- if .values.networkPolicy.enabled }}yes{{ end -}}
{{- else if eq $kind "ServiceMonitor" -}}
{{- if .values.serviceMonitor.enabled }}yes{{ end -}}
{{- else if eq $kind "PrometheusRule" -}}
{{- if .values.prometheusRule.enabled }}yes{{ end -}}
{{- else if eq .object.metadata.name "detour-dashboard" -}}
{{- if .values.dashboard.enabled }}yes{{ end -}}
{{- else if eq .object.metadata.name "detour-ca" -}}
{{- if or (eq .values.certificates.from "own") (eq $kind "Issuer") }}yes{{ end -}}
{{- else }}yes{{ end -}}
{{- end -}}

{{- /* Whether the cluster has a definition of this name from somebody else, such as Flagger: it is left as it is. */ -}}
{{- define "detour.foreign" -}}
{{- $found := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" .metadata.name -}}
{{- if $found -}}
{{- $labels := $found.metadata.labels | default dict -}}
{{- if ne (index $labels "app.kubernetes.io/name" | default "") "detour" }}yes{{ end -}}
{{- end -}}
{{- end -}}

{{- /* Changes an object, in place, to what the values say. */ -}}
{{- define "detour.change" -}}
{{- $kind := .object.kind -}}
{{- if eq $kind "CustomResourceDefinition" -}}
{{- /* In templates and not in crds/, which Helm never upgrades; and never deleted, since every Canary would go, too. */ -}}
{{- include "detour.annotate" (dict "metadata" .object.metadata "with" (dict "helm.sh/resource-policy" "keep")) -}}
{{- else if eq $kind "Deployment" -}}
{{- include "detour.deployment" . -}}
{{- else if eq $kind "MutatingWebhookConfiguration" -}}
{{- include "detour.webhooks" . -}}
{{- else if eq .object.metadata.name "detour-enforce" -}}
{{- if eq $kind "ValidatingAdmissionPolicy" -}}
{{- include "detour.namespaces" (dict "values" .values "selector" .object.spec.matchConstraints.namespaceSelector) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "detour.webhooks" -}}
{{- $values := .values -}}
{{- range .object.webhooks -}}
{{- $_ := set . "failurePolicy" $values.webhook.failurePolicy -}}
{{- $_ := set . "timeoutSeconds" $values.webhook.timeoutSeconds -}}
{{- include "detour.namespaces" (dict "values" $values "selector" .namespaceSelector) -}}
{{- end -}}
{{- if eq .values.certificates.from "cert-manager" -}}
{{- $from := printf "%s/detour-tls" .root.Release.Namespace -}}
{{- include "detour.annotate" (dict "metadata" .object.metadata "with" (dict "cert-manager.io/inject-ca-from" $from)) -}}
{{- end -}}
{{- end -}}

{{- /* Narrows a namespaceSelector down to the namespaces that the values name. */ -}}
{{- define "detour.namespaces" -}}
{{- $name := "kubernetes.io/metadata.name" -}}
{{- $expressions := .selector.matchExpressions -}}
{{- with .values.excludedNamespaces -}}
{{- $expressions = append $expressions (dict "key" $name "operator" "NotIn" "values" .) -}}
{{- end -}}
{{- with .values.namespaces -}}
{{- $expressions = append $expressions (dict "key" $name "operator" "In" "values" .) -}}
{{- end -}}
{{- $_ := set .selector "matchExpressions" $expressions -}}
{{- end -}}

{{- /* Adds annotations to those that are there. */ -}}
{{- define "detour.annotate" -}}
{{- $_ := set .metadata "annotations" (merge .with (.metadata.annotations | default dict)) -}}
{{- end -}}
