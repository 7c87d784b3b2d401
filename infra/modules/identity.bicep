// The identity that the app does everything with: one, because the app asks for one token only. What it may do is in its
// roles, each with a scope of its own: it writes records only where zones are, and answers connections only where the
// owner assigns the approver.

@description('Part of its name.')
param name string
param location string
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${name}'
  location: location
  tags: tags
}

output id string = identity.id
output clientId string = identity.properties.clientId
output principalId string = identity.properties.principalId
