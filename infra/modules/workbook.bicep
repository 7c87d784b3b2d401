// The estate at a glance: a workbook over the workspace, with the queries in queries/workbook.

@description('Part of its title.')
param name string
param location string
param tags object
param workspaceId string

// Shown as a table, or as a chart over time; half of them are half as wide as the page.
var parts = [
  { title: 'Sweeps', query: loadTextContent('../queries/workbook/sweeps.kql'), shown: 'table', width: '50' }
  { title: 'Records that are right', query: loadTextContent('../queries/workbook/right.kql'), shown: 'timechart', width: '50' }
  { title: 'Held, by reason', query: loadTextContent('../queries/workbook/held.kql'), shown: 'table', width: '50' }
  { title: 'Outcomes', query: loadTextContent('../queries/workbook/outcomes.kql'), shown: 'barchart', width: '50' }
  { title: 'Alerts', query: loadTextContent('../queries/workbook/alerts.kql'), shown: 'barchart', width: '50' }
  { title: 'From event to record', query: loadTextContent('../queries/workbook/latency.kql'), shown: 'table', width: '100' }
  { title: 'Queue', query: loadTextContent('../queries/workbook/queue.kql'), shown: 'timechart', width: '50' }
  { title: 'Waiting connections', query: loadTextContent('../queries/workbook/waiting.kql'), shown: 'timechart', width: '50' }
  { title: 'Zones', query: loadTextContent('../queries/workbook/zones.kql'), shown: 'table', width: '50' }
  { title: 'Coverage', query: loadTextContent('../queries/workbook/coverage.kql'), shown: 'table', width: '50' }
  { title: 'Plans', query: loadTextContent('../queries/workbook/plans.kql'), shown: 'table', width: '50' }
  { title: 'Throttled', query: loadTextContent('../queries/workbook/throttled.kql'), shown: 'timechart', width: '50' }
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
    content: {
      version: 'KqlItem/1.0'
      title: part.title
      query: part.query
      size: 0
      timeContextFromParameter: 'Period'
      queryType: 0
      resourceType: 'microsoft.operationalinsights/workspaces'
      crossComponentResources: [workspaceId]
      visualization: part.shown
    }
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
