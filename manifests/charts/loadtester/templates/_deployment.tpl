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
{{- /* What is as the program has it anyway is left out. */ -}}
{{- range list
      (list "--timeout" $values.timeoutSeconds 3600)
      (list "--at-once" $values.atOnce 32)
      (list "--log-level" $values.logLevel "info")
      (list "--log-format" $values.logFormat "text") -}}
{{- $value := toString (index . 1) -}}
{{- if ne $value (toString (index . 2)) }}{{ $args = append $args (printf "%s=%s" (index . 0) $value) }}{{ end -}}
{{- end -}}
{{- $_ := set $container "args" $args -}}
{{- end -}}
