{{- /* What the pods of web and workers have in common. */ -}}

{{- /* Variables of web and workers. Of: root, chosen (settings that other values decide), own (this part's settings).
`merge` would take false and 0 for nothing. */ -}}
{{- define "personne.environment" -}}
{{ include "personne.queue" . }}
{{- if .root.Values.marks.certificateSecret }}
- name: PERSONNE_CERTIFICATE
  value: /certificate/tls.crt
- name: PERSONNE_CERTIFICATE_KEY
  value: /certificate/tls.key
{{- end }}
{{ include "personne.settings" . }}
{{- end -}}

{{- /* Of: root. */ -}}
{{- define "personne.queue" -}}
{{- $values := .root.Values -}}
{{- if $values.redis.enabled }}
{{- if $values.redis.passwordSecret }}
- name: REDIS_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $values.redis.passwordSecret }}, key: password}}
- name: PERSONNE_QUEUE
  value: redis://:$(REDIS_PASSWORD)@{{ include "personne.name" .root }}-redis:6379/{{ $values.redis.database }}
{{- else }}
- name: PERSONNE_QUEUE
  value: redis://{{ include "personne.name" .root }}-redis:6379/{{ $values.redis.database }}
{{- end }}
{{- else if $values.redis.urlSecret }}
- name: PERSONNE_QUEUE
  valueFrom: {secretKeyRef: {name: {{ $values.redis.urlSecret }}, key: url}}
{{- else }}
- name: PERSONNE_QUEUE
  value: {{ $values.redis.url | quote }}
{{- end }}
{{- end -}}

{{- /* Of: root, chosen, own. */ -}}
{{- define "personne.settings" -}}
{{- $values := .root.Values -}}
- name: PERSONNE_STOP_GRACE_S
  value: {{ $values.stopGraceSeconds | quote }}
{{- $all := dict "log_json" true }}
{{- range list $values.settings .own .chosen }}
{{- range $name, $value := . }}{{ $_ := set $all $name $value }}{{ end }}
{{- end }}
{{- range $name, $value := $all }}
- name: PERSONNE_{{ upper $name }}
  value: {{ include "personne.plain" $value | quote }}
{{- end }}
{{- end -}}

{{- /* What signs webhooks, and where they may lead to: the web accepts them by it, and the teller tells. Of: root. */ -}}
{{- define "personne.webhooks" -}}
{{- with .root.Values.webhooks }}
- name: PERSONNE_WEBHOOK_SECRET
  valueFrom: {secretKeyRef: {name: {{ .secret }}, key: webhook-secret}}
{{- with .networks }}
- name: PERSONNE_WEBHOOK_NETWORKS
  value: {{ join "," . | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* Numbers of a values file are floats to Helm: 1000000 must not become 1e+06. */ -}}
{{- define "personne.plain" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{- define "personne.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "personne.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "personne.volumes" -}}
- name: tmp
  emptyDir: {}
- name: store
{{- if .Values.store.enabled }}
  persistentVolumeClaim: {claimName: {{ include "personne.storeClaim" . }}}
{{- else }}
  emptyDir: {}
{{- end }}
{{- with .Values.marks.certificateSecret }}
- name: certificate
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end -}}

{{- /* Of: root, storeReadOnly. */ -}}
{{- define "personne.mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: store, mountPath: /store{{ if .storeReadOnly }}, readOnly: true{{ end }}}
{{- if .root.Values.marks.certificateSecret }}
- {name: certificate, mountPath: /certificate, readOnly: true}
{{- end }}
{{- end -}}

{{- /* A volume that one node alone can mount holds its pods together: else the second one would wait for ever. */ -}}
{{- define "personne.affinity" -}}
{{- if and .Values.store.enabled (eq .Values.store.accessMode "ReadWriteOnce") }}
affinity:
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            app.kubernetes.io/name: personne
            app.kubernetes.io/instance: {{ .Release.Name }}
            personne/store: mounted
{{- end }}
{{- end -}}

{{- /* Of: root, own (the part's values). */ -}}
{{- define "personne.scheduling" -}}
serviceAccountName: {{ include "personne.name" .root }}
automountServiceAccountToken: false
# A service called personne would put PERSONNE_PORT into every pod.
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .own.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .own.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
