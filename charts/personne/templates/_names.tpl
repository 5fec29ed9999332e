{{- /* What things are called, and what all of them say of themselves. */ -}}

{{- define "personne.name" -}}
{{- if contains "personne" .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-personne" .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- /* Of: root, part. */ -}}
{{- define "personne.selector" -}}
app.kubernetes.io/name: personne
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "personne.labels" -}}
{{ include "personne.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- /* Of: root, image. */ -}}
{{- define "personne.image" -}}
{{- $tag := .root.Values.image.tag | default .root.Chart.AppVersion -}}
{{- with .root.Values.image.registry }}{{ trimSuffix "/" . }}/{{ end }}{{ .image }}:{{ $tag }}
{{- end -}}

{{- define "personne.storeClaim" -}}
{{ .Values.store.existingClaim | default (printf "%s-store" (include "personne.name" .)) }}
{{- end -}}
