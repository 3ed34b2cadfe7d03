{{- /*
What the values add to the arguments of a container, as a list in YAML. What is as the program has it anyway is left out.
*/ -}}
{{- define "detour.flags.webhook" -}}
{{- $values := .Values -}}
{{- include "detour.flags" (list
      (list "--rollback" $values.webhook.rollback "direct")
      (list "--restart" $values.webhook.restart "direct")
      (list "--log-level" $values.logLevel "info")
      (list "--log-format" $values.logFormat "text")) }}
{{- if $values.enforce }}
- --enforce
{{- end }}
{{- end -}}

{{- define "detour.flags.analyzer" -}}
{{- $values := .Values -}}
{{- $election := $values.leaderElection -}}
{{- if gt (mulf 3 $election.renewSeconds) (float64 $election.leaseSeconds) -}}
{{- fail "leaderElection.renewSeconds: make it at most a third of leaderElection.leaseSeconds, or a leader that is well would be taken for dead" -}}
{{- end -}}
{{- include "detour.flags" (list
      (list "--certificates-from" $values.certificates.from "own")
      (list "--at-once" $values.atOnce 0)
      (list "--mesh-provider" $values.meshProvider "")
      (list "--ingress-annotations-prefix" $values.ingressAnnotationsPrefix "nginx.ingress.kubernetes.io")
      (list "--ingress-class" $values.ingressClass "")
      (list "--event-webhook" $values.eventWebhook "")
      (list "--slack-user" $values.slack.user "detour")
      (list "--slack-channel" $values.slack.channel "")
      (list "--slack-proxy-url" $values.slack.proxy "")
      (list "--msteams-proxy-url" $values.msteams.proxy "")
      (list "--cluster-name" $values.clusterName "")
      (list "--lease-seconds" $election.leaseSeconds 12)
      (list "--renew-seconds" $election.renewSeconds 3)
      (list "--log-level" $values.logLevel "info")
      (list "--log-format" $values.logFormat "text")) }}
{{- range $flag, $each := dict
      "--namespace" $values.namespaces
      "--allow-address" $values.allowAddresses
      "--allow-references-to" $values.allowReferencesTo }}
{{- range $each }}
- {{ printf "%s=%s" $flag . | quote }}
{{- end }}
{{- end }}
{{- if $values.defaultPolicy }}
- --default-policy=/etc/detour/policy.yaml
{{- end }}
{{- end -}}

{{- /* Of (flag, value, what the program takes without it), the flags that say something else. */ -}}
{{- define "detour.flags" -}}
{{- range . }}
{{- $value := toString (index . 1) }}
{{- if ne $value (toString (index . 2)) }}
- {{ printf "%s=%s" (index . 0) $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* Has the analyzer ask the Prometheus that the values name, or else bring; without either, what manifests/ name. */ -}}
{{- define "detour.metricsServer" -}}
{{- $brought := printf "http://%s-prometheus.%s:9090" .root.Release.Name .root.Release.Namespace -}}
{{- $address := .root.Values.metricsServer | default (.root.Values.prometheus.install | ternary $brought "") -}}
{{- if $address -}}
{{- $args := list -}}
{{- range .container.args -}}
{{- $args = append $args (hasPrefix "--metrics-server=" . | ternary (printf "--metrics-server=%s" $address) .) -}}
{{- end -}}
{{- $_ := set .container "args" $args -}}
{{- end -}}
{{- end -}}
