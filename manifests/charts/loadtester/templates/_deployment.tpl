{{- /* Changes the Deployment, in place, to what the values say. */ -}}
{{- define "loadtester.deployment" -}}
{{- $values := .values -}}
{{- $template := .object.spec.template -}}
{{- with $values.podAnnotations }}{{ $_ := set $template.metadata "annotations" . }}{{ end -}}
{{- range $field, $value := dict
      "imagePullSecrets" $values.imagePullSecrets
      "nodeSelector" $values.nodeSelector
      "tolerations" $values.tolerations
      "affinity" $values.affinity -}}
{{- if $value }}{{ $_ := set $template.spec $field $value }}{{ end -}}
{{- end -}}
{{- $container := index $template.spec.containers 0 -}}
{{- $tag := $values.image.tag | default (regexFind "[^:]+$" $container.image) -}}
{{- $version := $values.image.digest | empty | ternary (printf ":%s" $tag) (printf "@%s" $values.image.digest) -}}
{{- $_ := set $container "image" (printf "%s%s" $values.image.repository $version) -}}
{{- $_ := set $container "imagePullPolicy" $values.image.pullPolicy -}}
{{- $_ := set $container "resources" $values.resources -}}
{{- $args := list "loadtester" -}}
{{- range $values.allow }}{{ $args = append $args (printf "--allow=%s" .) }}{{ end -}}
{{- range $container.args -}}
{{- if and $values.keepGates (hasPrefix "--gates-in=" .) }}{{ $args = append $args . }}{{ end -}}
{{- end -}}
{{- $_ := set $template.spec "automountServiceAccountToken" $values.keepGates -}}
{{- /* What is as the program has it anyway is left out. */ -}}
{{- range list
      (list "--timeout" $values.timeoutSeconds 3600)
      (list "--at-once" $values.atOnce 32)
      (list "--log-level" $values.logLevel "info")
      (list "--log-format" $values.logFormat "text") -}}
{{- $value := toString (index . 1) -}}
{{- if ne $value (toString (index . 2)) }}{{ $args = append $args (printf "%s=%s" (index . 0) $value) }}{{ end -}}
{{- end -}}
{{- $mounts := list -}}
{{- $volumes := list -}}
{{- with $values.tokenSecret -}}
{{- $args = append $args "--token-file=/etc/loadtester/token" -}}
{{- $mounts = append $mounts (dict "name" "token" "mountPath" "/etc/loadtester" "readOnly" true) -}}
{{- $volumes = append $volumes (dict "name" "token" "secret" (dict "secretName" .)) -}}
{{- end -}}
{{- if $values.suites -}}
{{- $args = append $args "--suites=/suites" -}}
{{- $mounts = append $mounts (dict "name" "suites" "mountPath" "/suites" "readOnly" true) -}}
{{- $suites := dict "name" (printf "%s-suites" .object.metadata.name) "defaultMode" 0o555 -}}
{{- $volumes = append $volumes (dict "name" "suites" "configMap" $suites) -}}
{{- end -}}
{{- if $values.bash }}{{ $args = append $args "--bash" }}{{ end -}}
{{- if or $values.bash $values.suites -}}
{{- $mounts = append $mounts (dict "name" "tmp" "mountPath" "/tmp") -}}
{{- $volumes = append $volumes (dict "name" "tmp" "emptyDir" (dict "medium" "Memory" "sizeLimit" "16Mi")) -}}
{{- end -}}
{{- if $volumes }}{{ $_ := set $container "volumeMounts" $mounts }}{{ $_ := set $template.spec "volumes" $volumes }}{{ end -}}
{{- $_ := set $container "args" $args -}}
{{- end -}}
