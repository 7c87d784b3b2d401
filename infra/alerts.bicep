// What Hubwarden's owners are told of: rules that ask the workspace. Each query gives the column Measured, and a rule fires
// when that is above its threshold. docs/operations.md says of each what it means and what to do.

@description('Part of the names.')
param name string

@description('The region of the workspace.')
param location string

@description('Tags of every rule.')
param tags object

@description('The workspace that has the telemetry, the activity log and the log of dead letters.')
param workspaceId string

@description('The object id of the app\'s identity: writes of it that the app does not tell of are another\'s.')
param principalId string

@description('Whom to tell: action groups, by id. None: alerts show in the portal only.')
param actionGroups array

@description('Of alerts that mean wrong names, lost events or another\'s hand: 0 (critical) to 4.')
@minValue(0)
@maxValue(4)
param urgentSeverity int

@description('Of the others.')
@minValue(0)
@maxValue(4)
param otherSeverity int

@description('Above how many percent of records that came later than 10 s after their event: 5 is a p95 of 10 s.')
@minValue(0)
@maxValue(99)
param latePercent int

@description('After how many minutes without a whole sweep: twice the time between two of them.')
@minValue(5)
@maxValue(1440)
param sweepMinutes int

@description('After how many hours that a connection has waited for a person.')
@minValue(0)
param waitingHours int

@description('Above how many percent that a zone is full; 80 at least, because nothing tells of less.')
@minValue(80)
@maxValue(100)
param zonePercent int

@description('Above how many writes or answers that failed within a quarter of an hour.')
@minValue(0)
param failed int

// What each sweep tells anew stands until the next one, so such a rule looks back as far as twice their distance, or further.
var sinceSweep = sweepMinutes <= 30 ? 'PT30M' : sweepMinutes <= 120 ? 'PT2H' : sweepMinutes <= 360 ? 'PT6H' : 'P1D'
var sinceSweepOrTwoHours = sweepMinutes <= 120 ? 'PT2H' : sinceSweep

var unknownWrites = loadTextContent('queries/alerts/unknown-write.kql')
var unknownWrite = replace(unknownWrites, '00000000-0000-0000-0000-000000000000', principalId)

var alerts = [
  {
    name: 'failed'
    title: 'Writes or answers failed'
    query: loadTextContent('queries/alerts/failed.kql')
    threshold: failed
    severity: urgentSeverity
    every: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'poison'
    title: 'Work items lie in the poison queue'
    query: loadTextContent('queries/alerts/poison.kql')
    threshold: 0
    severity: urgentSeverity
    every: 'PT5M'
    window: 'PT30M'
  }
  {
    name: 'dead-letter'
    title: 'Event Grid gave up events'
    query: loadTextContent('queries/alerts/dead-letter.kql')
    threshold: 0
    severity: urgentSeverity
    every: 'PT15M'
    window: 'PT1H'
  }
  {
    name: 'late'
    title: 'Records come late'
    query: loadTextContent('queries/alerts/late.kql')
    threshold: latePercent
    severity: otherSeverity
    every: 'PT30M'
    window: 'PT6H'
  }
  {
    name: 'no-sweep'
    title: 'No sweep looked at everything'
    query: loadTextContent('queries/alerts/no-sweep.kql')
    threshold: sweepMinutes
    severity: urgentSeverity
    every: 'PT5M'
    window: 'P1D'
  }
  {
    name: 'not-covered'
    title: 'Subscriptions tell the app nothing'
    query: loadTextContent('queries/alerts/not-covered.kql')
    threshold: 0
    severity: otherSeverity
    every: 'PT1H'
    window: 'P2D'
  }
  {
    name: 'over-limit'
    title: 'A limit holds changes back'
    query: loadTextContent('queries/alerts/over-limit.kql')
    threshold: 0
    severity: urgentSeverity
    every: 'PT5M'
    window: sinceSweep
  }
  {
    name: 'foreign-conflict'
    title: 'A name leads elsewhere by another\'s record'
    query: loadTextContent('queries/alerts/foreign-conflict.kql')
    threshold: 0
    severity: urgentSeverity
    every: 'PT5M'
    window: sinceSweep
  }
  {
    name: 'waiting'
    title: 'A connection waits for a person'
    query: loadTextContent('queries/alerts/waiting.kql')
    threshold: waitingHours
    severity: otherSeverity
    every: 'PT15M'
    window: 'PT30M'
  }
  {
    name: 'zone-fill'
    title: 'A zone is nearly full'
    query: loadTextContent('queries/alerts/zone-fill.kql')
    threshold: zonePercent
    severity: otherSeverity
    every: 'PT1H'
    window: sinceSweepOrTwoHours
  }
  {
    name: 'unknown-write'
    title: 'The identity wrote, and the app did not'
    query: unknownWrite
    threshold: 0
    severity: urgentSeverity
    every: 'PT15M'
    window: 'PT2H'
  }
]

// Without an identity of its own a rule asks with the rights that whoever deploys it had then (Microsoft, "Create or edit a
// log search alert rule"). A new workspace may not know a table before its first row, so queries are not tried here.
resource rule 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in alerts: {
    name: 'alert-${name}-${alert.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Hubwarden (${name}): ${alert.title}'
      description: 'What it means and what to do: docs/operations.md, ${alert.name}.'
      enabled: true
      severity: alert.severity
      scopes: [workspaceId]
      evaluationFrequency: alert.every
      windowSize: alert.window
      criteria: {
        allOf: [
          {
            query: alert.query
            metricMeasureColumn: 'Measured'
            timeAggregation: 'Maximum'
            operator: 'GreaterThan'
            threshold: alert.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      autoMitigate: true
      skipQueryValidation: true
      actions: { actionGroups: actionGroups }
    }
  }
]
