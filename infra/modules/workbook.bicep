// The estate at a glance: a workbook over the workspace, with the queries in queries/workbook.

@description('Part of its title.')
param name string
param location string
param tags object
param workspaceId string

var chosen = { timeContextFromParameter: 'Period' }
var twoDays = { timeContext: { durationMs: 172800000 } } // for what is told once a day, whatever period is chosen

// Shown as a table, or as a chart over time; half of them are half as wide as the page.
var parts = [
  { title: 'Sweeps', query: loadTextContent('../queries/workbook/sweeps.kql'), shown: 'table', width: '50', over: chosen }
  { title: 'Records that are right', query: loadTextContent('../queries/workbook/right.kql'), shown: 'timechart', width: '50', over: chosen }
  { title: 'Held, by reason', query: loadTextContent('../queries/workbook/held.kql'), shown: 'table', width: '50', over: chosen }
  { title: 'Outcomes', query: loadTextContent('../queries/workbook/outcomes.kql'), shown: 'barchart', width: '50', over: chosen }
  { title: 'Alerts', query: loadTextContent('../queries/workbook/alerts.kql'), shown: 'barchart', width: '50', over: chosen }
  { title: 'From event to record', query: loadTextContent('../queries/workbook/latency.kql'), shown: 'table', width: '100', over: chosen }
  { title: 'Queue', query: loadTextContent('../queries/workbook/queue.kql'), shown: 'timechart', width: '50', over: chosen }
  { title: 'Waiting connections', query: loadTextContent('../queries/workbook/waiting.kql'), shown: 'timechart', width: '50', over: chosen }
  { title: 'Zones', query: loadTextContent('../queries/workbook/zones.kql'), shown: 'table', width: '50', over: chosen }
  { title: 'Coverage', query: loadTextContent('../queries/workbook/coverage.kql'), shown: 'table', width: '50', over: twoDays }
  { title: 'Plans', query: loadTextContent('../queries/workbook/plans.kql'), shown: 'table', width: '50', over: chosen }
  { title: 'Throttled', query: loadTextContent('../queries/workbook/throttled.kql'), shown: 'timechart', width: '50', over: chosen }
]

var period = {
  type: 9
  content: {
    version: 'KqlParameterItem/1.0'
    style: 'pills'
    parameters: [
      {
        id: guid(name, 'period')
        version: 'KqlParameterItem/1.0'
        name: 'Period'
        type: 4
        isRequired: true
        value: { durationMs: 86400000 }
        typeSettings: {
          selectableValues: [{ durationMs: 3600000 }, { durationMs: 86400000 }, { durationMs: 604800000 }, { durationMs: 2592000000 }]
        }
      }
    ]
  }
}

var shown = [
  for part in parts: {
    type: 3
    name: part.title
    customWidth: part.width
    content: union(part.over, {
      version: 'KqlItem/1.0'
      title: part.title
      query: part.query
      size: 0
      queryType: 0
      resourceType: 'microsoft.operationalinsights/workspaces'
      crossComponentResources: [workspaceId]
      visualization: part.shown
    })
  }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, name, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Hubwarden (${name})'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: string({ version: 'Notebook/1.0', items: concat([period], shown) })
  }
}
