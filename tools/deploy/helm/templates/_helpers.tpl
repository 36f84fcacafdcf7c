{{- define "unbroken.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "unbroken.labels" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
{{ include "unbroken.commonLabels" . }}
{{- end }}

{{- define "unbroken.commonLabels" -}}
app.kubernetes.io/part-of: unbroken
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* What a selector names, which may never change. The context is a dict of root and part. */}}
{{- define "unbroken.selector" -}}
app.kubernetes.io/name: {{ include "unbroken.name" .root }}-{{ .part }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "unbroken.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "unbroken.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "unbroken.name" .) }}
{{- end }}

{{/* What all pods have: an account without rights, no root, and where they find their settings. */}}
{{- define "unbroken.podSecurity" -}}
serviceAccountName: {{ include "unbroken.serviceAccount" . }}
automountServiceAccountToken: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "unbroken.container" -}}
image: {{ include "unbroken.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
envFrom:
  - configMapRef: { name: {{ include "unbroken.name" . }}-settings }
  - secretRef: { name: {{ .Values.secretName }} }
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
volumeMounts:
  - { name: config, mountPath: /etc/unbroken, readOnly: true }
  - { name: temporary, mountPath: /tmp }
{{- end }}

{{- define "unbroken.volumes" -}}
volumes:
  - name: config
    configMap: { name: {{ include "unbroken.name" . }}-config }
  - name: temporary
    emptyDir: { sizeLimit: 64Mi }
{{- end }}

{{/* The metadata of the pods of a deployment. A changed config is another pod, so that it is read. */}}
{{- define "unbroken.podMetadata" -}}
labels:
  {{- include "unbroken.selector" . | nindent 2 }}
  {{- include "unbroken.commonLabels" .root | nindent 2 }}
annotations:
  prometheus.io/scrape: "true"
  prometheus.io/port: "9464"
  checksum/settings: {{ include (print .root.Template.BasePath "/config.yaml") .root | sha256sum }}
  {{- with .settings.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "unbroken.placement" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "unbroken.selector" . | nindent 8 }}
{{- with .settings.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* A disruption budget, and an autoscaler where it is wanted (_scaling.tpl). */}}
{{- define "unbroken.availability" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "unbroken.name" .root }}-{{ .part }}
  labels:
    {{- include "unbroken.labels" .root | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "unbroken.selector" . | nindent 6 }}
{{- with .settings.autoscaling }}
{{- if .enabled }}
---
{{- if eq (.signals | default "cpu") "keda" }}
{{ include "unbroken.scaledObject" $ }}
{{- else }}
{{ include "unbroken.podAutoscaler" $ }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
