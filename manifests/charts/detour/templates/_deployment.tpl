{{- /* Changes the Deployment, in place, to what the values say. */ -}}
{{- define "detour.deployment" -}}
{{- $values := .values -}}
{{- $_ := set .object.spec "replicas" $values.replicas -}}
{{- $template := .object.spec.template -}}
{{- $_ := set $template.metadata "labels" (merge $template.metadata.labels $values.podLabels) -}}
{{- with $values.podAnnotations -}}
{{- include "detour.annotate" (dict "metadata" $template.metadata "with" (deepCopy .)) -}}
{{- end -}}
{{- $pod := $template.spec -}}
{{- range $field, $value := dict
      "imagePullSecrets" $values.imagePullSecrets
      "priorityClassName" $values.priorityClassName
      "nodeSelector" $values.nodeSelector
      "tolerations" $values.tolerations
      "affinity" $values.affinity
      "topologySpreadConstraints" $values.topologySpread -}}
{{- if $value }}{{ $_ := set $pod $field $value }}{{ end -}}
{{- end -}}
{{- range $pod.containers -}}
{{- $_ := set . "image" (include "detour.image" (dict "values" $values.image "base" .image)) -}}
{{- $_ := set . "imagePullPolicy" $values.image.pullPolicy -}}
{{- $_ := set . "resources" (index $values.resources .name) -}}
{{- end -}}
{{- $webhook := index $pod.containers 0 -}}
{{- $analyzer := index $pod.containers 1 -}}
{{- $_ := set $webhook "args" (concat $webhook.args (include "detour.flags.webhook" .root | fromYamlArray)) -}}
{{- include "detour.metricsServer" (dict "root" .root "container" $analyzer) -}}
{{- $_ := set $analyzer "args" (concat $analyzer.args (include "detour.flags.analyzer" .root | fromYamlArray)) -}}
{{- if ne $values.certificates.from "own" -}}
{{- $volume := dict "name" "secret" "secret" (dict "secretName" "detour-tls" "defaultMode" 288) -}}
{{- include "detour.mount" (dict "pod" $pod "container" $analyzer "volume" $volume "path" "/run/detour/secret") -}}
{{- end -}}
{{- with $values.defaultPolicy -}}
{{- $volume := dict "name" "policy" "configMap" (dict "name" "detour-default-policy") -}}
{{- include "detour.mount" (dict "pod" $pod "container" $analyzer "volume" $volume "path" "/etc/detour") -}}
{{- $sum := dict "detour.dev/default-policy" (toYaml . | sha256sum | trunc 16) -}}
{{- include "detour.annotate" (dict "metadata" $template.metadata "with" $sum) -}}
{{- end -}}
{{- if or $values.slack.url $values.msteams.url -}}
{{- $told := list $values.slack.url $values.slack.token $values.msteams.url -}}
{{- $sum := dict "detour.dev/alerts" (toYaml $told | sha256sum | trunc 16) -}}
{{- include "detour.annotate" (dict "metadata" $template.metadata "with" $sum) -}}
{{- end -}}
{{- end -}}

{{- /* The image, as the values name it; without a tag in them, as the chart was released with it. */ -}}
{{- define "detour.image" -}}
{{- $tag := .values.tag | default (regexFind "[^:]+$" .base) -}}
{{- .values.repository }}{{ .values.digest | empty | ternary (printf ":%s" $tag) (printf "@%s" .values.digest) -}}
{{- end -}}

{{- /* The image that the chart was released with. */ -}}
{{- define "detour.released" -}}
{{- .Files.Get "files/detour.yaml" | regexFind "image: .+" | trimPrefix "image: " -}}
{{- end -}}

{{- /* Mounts a volume, to be read only. */ -}}
{{- define "detour.mount" -}}
{{- $mount := dict "name" .volume.name "mountPath" .path "readOnly" true -}}
{{- $_ := set .container "volumeMounts" (append .container.volumeMounts $mount) -}}
{{- $_ := set .pod "volumes" (append .pod.volumes .volume) -}}
{{- end -}}
