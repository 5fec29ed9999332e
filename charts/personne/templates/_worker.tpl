{{- /* A Deployment of workers and what keeps one of them there.
Of: root, part, image, own (the part's values), settings (what the chart adds to them), startupSeconds, scaled. */ -}}
{{- define "personne.worker" -}}
{{- $name := printf "%s-%s" (include "personne.name" .root) .part -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels: {{- include "personne.labels" . | nindent 4 }}
spec:
  {{- if not .scaled }}
  replicas: {{ .own.replicas }}
  {{- end }}
  selector:
    matchLabels: {{- include "personne.selector" . | nindent 6 }}
  strategy:
    # One after the other, and none on top: there may be no second GPU for it.
    rollingUpdate: {maxUnavailable: {{ if eq .part "worker-gpu" }}1, maxSurge: 0{{ else }}0, maxSurge: 1{{ end }}}
  template:
    metadata:
      labels:
        {{- include "personne.labels" . | nindent 8 }}
        personne/store: mounted
      {{- with .own.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "personne.scheduling" . | nindent 6 }}
      {{- include "personne.affinity" .root | nindent 6 }}
      {{- with .own.runtimeClassName }}
      runtimeClassName: {{ . }}
      {{- end }}
      # A stopping worker finishes its batch and gives back the rest within stopGraceSeconds.
      terminationGracePeriodSeconds: {{ add .root.Values.stopGraceSeconds 5 }}
      securityContext: {{- include "personne.podSecurity" . | nindent 8 }}
      containers:
        - name: worker
          image: {{ include "personne.image" . }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          args: [worker]
          env:
            {{- include "personne.environment" (dict "root" .root "own" .own.settings "chosen" .settings) | nindent 12 }}
          # All three look for this pod's heartbeat in the queue. Only a long silence restarts it: without Redis there is
          # none either, and a worker comes back by itself.
          startupProbe:
            exec: {command: [personne, health, --worker]}
            periodSeconds: 10
            timeoutSeconds: 9
            failureThreshold: {{ div .startupSeconds 10 }}
          readinessProbe:
            exec: {command: [personne, health, --worker]}
            periodSeconds: 30
            timeoutSeconds: 9
          livenessProbe:
            exec: {command: [personne, health, --worker]}
            periodSeconds: 60
            timeoutSeconds: 9
            failureThreshold: 10
          resources: {{- toYaml .own.resources | nindent 12 }}
          securityContext: {{- include "personne.containerSecurity" . | nindent 12 }}
          volumeMounts: {{- include "personne.mounts" (dict "root" .root "storeReadOnly" false) | nindent 12 }}
      volumes: {{- include "personne.volumes" .root | nindent 8 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  labels: {{- include "personne.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "personne.selector" . | nindent 6 }}
{{- end -}}
