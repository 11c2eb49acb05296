{{- define "skein.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "skein.nodes" -}}
{{- include "skein.name" . }}-nodes
{{- end -}}

{{- define "skein.labels" -}}
{{ include "skein.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "skein.selector" -}}
app.kubernetes.io/name: skein
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "skein.uploadsClaim" -}}
{{- .Values.uploads.existingClaim | default (printf "%s-uploads" (include "skein.name" .)) -}}
{{- end -}}

{{- define "skein.tokenSecret" -}}
{{- .Values.bus.tokenSecret | default (printf "%s-bus" (include "skein.name" .)) -}}
{{- end -}}

{{- /* The peers do not depend on the number of nodes: a change of it would restart all of them. */ -}}
{{- define "skein.peers" -}}
{{- $name := include "skein.name" . -}}
{{- range $i := until 3 }}{{ if $i }},{{ end }}{{ $name }}-{{ $i }}.{{ include "skein.nodes" $ }}:6222{{ end -}}
{{- end -}}
