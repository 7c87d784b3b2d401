// A subscription's activity log goes to the workspace, where writes of the app's identity are looked for that the app does
// not tell of.
targetScope = 'subscription'

@description('Of the setting, which a subscription has five of at most.')
param name string
param workspaceId string

resource setting 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: name
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'Administrative', enabled: true }]
  }
}
