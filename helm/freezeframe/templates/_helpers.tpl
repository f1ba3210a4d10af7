{{/* At most 52 characters: a StatefulSet's pods carry a label of its name and a hash, of 63 together. */}}
{{- define "freezeframe.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "freezeframe.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: prober
{{- end -}}

{{/* Called with the root and the component; what is no prober must not be taken for one. */}}
{{- define "freezeframe.labels" -}}
{{- $root := .root -}}
{{- $own := merge (dict "app.kubernetes.io/component" .component) (include "freezeframe.selector" $root | fromYaml) (dict
  "app.kubernetes.io/version" $root.Chart.AppVersion
  "app.kubernetes.io/managed-by" $root.Release.Service
  "helm.sh/chart" (printf "%s-%s" $root.Chart.Name ($root.Chart.Version | replace "+" "_"))
) -}}
{{- toYaml (merge $own (deepCopy $root.Values.commonLabels)) -}}
{{- end -}}

{{- define "freezeframe.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "freezeframe.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "freezeframe.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "freezeframe.scheme" -}}
{{- ternary "https" "http" (ne .Values.tls.existingSecret "") -}}
{{- end -}}

{{/* Where people's browsers reach it, as far as that can be known here. */}}
{{- define "freezeframe.url" -}}
{{- $server := default dict .Values.config.server -}}
{{- if .Values.prometheusRule.freezeframeUrl -}}
{{- trimSuffix "/" .Values.prometheusRule.freezeframeUrl -}}
{{- else if $server.external_url -}}
{{- trimSuffix "/" $server.external_url -}}
{{- else if .Values.ingress.enabled -}}
{{- printf "%s://%s" (ternary "https" "http" (ne .Values.ingress.tlsSecret "")) .Values.ingress.host -}}
{{- else if and .Values.httpRoute.enabled .Values.httpRoute.hostnames -}}
{{- printf "https://%s" (first .Values.httpRoute.hostnames) -}}
{{- else -}}
{{- printf "%s://%s.%s.svc:%d" (include "freezeframe.scheme" .) (include "freezeframe.fullname" .) .Release.Namespace (int .Values.service.port) -}}
{{- end -}}
{{- end -}}

{{- define "freezeframe.isRemoteStore" -}}
{{- if regexMatch "^(s3|gs|az)://" (default "" .Values.config.store) }}yes{{ end -}}
{{- end -}}

{{/* What contradicts itself, or would start something that harms: said in words that name the value. */}}
{{- define "freezeframe.refuse" -}}
{{- if not .Values.token.existingSecret -}}
{{- fail (printf "token.existingSecret: name the Secret that holds the listener's token, because it listens on %s; without one the pages would be open to the whole network, and none is invented here" .Values.listenAddress) -}}
{{- end -}}
{{- if and (gt (int .Values.shards) 1) (not (include "freezeframe.isRemoteStore" .)) -}}
{{- fail "config.store: an object store (s3://, gs:// or az://) is needed with shards > 1, so that every pod serves every packet" -}}
{{- end -}}
{{- if and (gt (int .Values.shards) 1) .Values.persistence.existingClaim -}}
{{- fail "persistence.existingClaim: each of the shards needs a state of its own" -}}
{{- end -}}
{{- range $name, $_ := .Values.contracts -}}
{{- if eq $name "freezeframe" -}}
{{- fail "contracts.freezeframe: the name of the configuration itself" -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := .Values.credentials -}}
{{- if hasKey (default dict $.Values.config.credentials) $name -}}
{{- fail (printf "credentials.%s: also in config.credentials" $name) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.ca.existingConfigMap (hasKey (default dict .Values.config.network) "ca_file") -}}
{{- fail "ca.existingConfigMap: config.network.ca_file is set as well" -}}
{{- end -}}
{{- if contains "@" (default "" (default dict .Values.config.network).proxy) -}}
{{- fail "config.network.proxy: holds a password, which a ConfigMap would show; set FREEZEFRAME_NETWORK__PROXY in extraEnv from a Secret" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.host: a name, so that the rule does not catch every host" -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.parentRefs: the Gateway that it belongs to" -}}
{{- end -}}
{{- end -}}

{{/* Every reference to a key of a Secret, as `name/key` lines; the path of the file is the same. */}}
{{- define "freezeframe.secretFiles" -}}
{{- printf "%s/%s\n" .Values.token.existingSecret .Values.token.key -}}
{{- range .Values.credentials -}}
{{- printf "%s/%s\n" .existingSecret .key -}}
{{- with .gatewayLog -}}
{{- printf "%s/%s\n" .existingSecret .key -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* freezeframe.yaml: the values, and what only the chart knows. */}}
{{- define "freezeframe.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $secrets := "/etc/freezeframe/secrets" -}}
{{- $server := default dict $config.server -}}
{{- $_ := set $server "listen" (printf "%s:9464" .Values.listenAddress) -}}
{{- $_ := set $server "token" (dict "file" (printf "%s/%s/%s" $secrets .Values.token.existingSecret .Values.token.key)) -}}
{{- if .Values.tls.existingSecret -}}
{{- $_ := set $server "tls" (dict "cert_file" "/etc/freezeframe/tls/tls.crt" "key_file" "/etc/freezeframe/tls/tls.key") -}}
{{- end -}}
{{- $_ := set $config "server" $server -}}
{{- if .Values.ca.existingConfigMap -}}
{{- $network := default dict $config.network -}}
{{- $_ := set $network "ca_file" (printf "/etc/freezeframe/ca/%s" .Values.ca.key) -}}
{{- $_ := set $config "network" $network -}}
{{- end -}}
{{- $credentials := default dict $config.credentials -}}
{{- range $name, $given := .Values.credentials -}}
{{- $credential := dict "file" (printf "%s/%s/%s" $secrets $given.existingSecret $given.key) -}}
{{- with $given.gatewayLog -}}
{{- $_ := set $credential "gateway_log" (dict "file" (printf "%s/%s/%s" $secrets .existingSecret .key)) -}}
{{- end -}}
{{- $_ := set $credentials $name $credential -}}
{{- end -}}
{{- $_ := set $config "credentials" $credentials -}}
{{- $_ := set $config "targets" (default list $config.targets) -}}
{{- $_ := set $config "state" "/var/lib/freezeframe/state" -}}
{{- $_ := set $config "store" (default "/var/lib/freezeframe/packets" $config.store) -}}
{{- $_ := set $config "log" (merge (default dict $config.log) (dict "format" "json")) -}}
{{- toYaml $config -}}
{{- end -}}
