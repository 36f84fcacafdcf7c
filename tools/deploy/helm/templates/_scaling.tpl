{{- define "unbroken.scalingMetadata" -}}
metadata:
  name: {{ include "unbroken.name" .root }}-{{ .part }}
  labels:
    {{- include "unbroken.labels" .root | nindent 4 }}
{{- end }}

{{- define "unbroken.scaledDeployment" -}}
apiVersion: apps/v1
kind: Deployment
name: {{ include "unbroken.name" .root }}-{{ .part }}
{{- end }}

{{/* Each process that leaves lets its streams end or hands them over: not too many at once. */}}
{{- define "unbroken.scalingBehavior" -}}
behavior:
  # Each process that leaves hands its streams over: not too many at once.
  scaleDown:
    stabilizationWindowSeconds: 300
    policies: [{ type: Pods, value: 1, periodSeconds: 60 }]
{{- end }}

{{/* Series of the workers of this release, by labels that Prometheus adds to what it scrapes from a pod. */}}
{{- define "unbroken.workerSeries" -}}
namespace="{{ .root.Release.Namespace }}",pod=~"{{ include "unbroken.name" .root }}-worker-.+"
{{- end }}

{{/* How long 95 % of the tasks waited for a worker, in ms. Who waits for room at a provider needs no more workers. */}}
{{- define "unbroken.taskWaitQuery" -}}
1000 * histogram_quantile(0.95, sum by (le) (rate(temporal_{{ .kind }}_schedule_to_start_latency_seconds_bucket{ {{- include "unbroken.workerSeries" . }},task_queue!~".+/room/.+"}[2m])))
{{- end }}

{{- define "unbroken.podAutoscaler" -}}
{{- $ := . -}}
{{- with .settings.autoscaling -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
{{ include "unbroken.scalingMetadata" $ }}
spec:
  scaleTargetRef:
    {{- include "unbroken.scaledDeployment" $ | nindent 4 }}
  minReplicas: {{ .minReplicas }}
  maxReplicas: {{ .maxReplicas }}
  metrics:
    - type: Resource
      resource: { name: cpu, target: { type: Utilization, averageUtilization: {{ .cpuPercent }} } }
    {{- if eq (.signals | default "cpu") "metrics" }}
    - type: Pods
      pods:
        metric: { name: unbroken_streams_running }
        target: { type: AverageValue, averageValue: {{ .streamsPerWorker | quote }} }
    {{- range $name := list "unbroken_workflow_task_wait_ms" "unbroken_activity_wait_ms" }}
    - type: External
      external:
        metric: { name: {{ $name }} }
        target: { type: Value, value: {{ $.settings.autoscaling.taskWaitMs | quote }} }
    {{- end }}
    {{- end }}
  {{- include "unbroken.scalingBehavior" $ | nindent 2 }}
{{- end }}
{{- end }}

{{- define "unbroken.scaledObject" -}}
{{- $ := . -}}
{{- with .settings.autoscaling -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
{{ include "unbroken.scalingMetadata" $ }}
spec:
  scaleTargetRef:
    {{- include "unbroken.scaledDeployment" $ | nindent 4 }}
  minReplicaCount: {{ .minReplicas }}
  maxReplicaCount: {{ .maxReplicas }}
  pollingInterval: 15
  # While Prometheus or Temporal does not answer.
  fallback: { failureThreshold: 4, replicas: {{ .minReplicas }}, behavior: currentReplicasIfHigher }
  advanced:
    horizontalPodAutoscalerConfig:
      {{- include "unbroken.scalingBehavior" $ | nindent 6 }}
  triggers:
    - type: cpu
      metricType: Utilization
      metadata: { value: {{ .cpuPercent | quote }} }
    - type: prometheus
      name: streams
      metadata:
        serverAddress: {{ .prometheusUrl }}
        query: sum(unbroken_streams_running{ {{- include "unbroken.workerSeries" $ }}})
        threshold: {{ .streamsPerWorker | quote }}
    {{- range $kind := list "workflow_task" "activity" }}
    - type: prometheus
      name: {{ $kind | replace "_" "-" }}-wait
      metricType: Value
      metadata:
        serverAddress: {{ $.settings.autoscaling.prometheusUrl }}
        query: >-
          {{ include "unbroken.taskWaitQuery" (dict "root" $.root "kind" $kind) }}
        threshold: {{ $.settings.autoscaling.taskWaitMs | quote }}
    {{- end }}
    - type: temporal
      name: backlog
      metadata:
        endpoint: {{ $.root.Values.temporal.address }}
        namespace: {{ $.root.Values.temporal.namespace }}
        taskQueue: {{ $.root.Values.environment.UNBROKEN_TASK_QUEUE | default "unbroken" }}
        queueTypes: workflow,activity
        targetQueueSize: {{ .backlogPerWorker | quote }}
      {{- with .temporalAuthentication }}
      authenticationRef: { name: {{ . }} }
      {{- end }}
{{- end }}
{{- end }}
