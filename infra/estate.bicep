// For an estate under a management group: the reader, and perhaps the approver, for all its subscriptions, present and
// to come. The roles are made by main.bicep, with this group as its parameter managementGroup.
targetScope = 'managementGroup'

@description('HUBWARDEN_PRINCIPAL_ID of main.bicep.')
param principalId string

@description('HUBWARDEN_READER_ID of main.bicep.')
param readerId string

@description('HUBWARDEN_APPROVER_ID of main.bicep, where connections may be answered everywhere. Empty: not by this.')
param approverId string = ''

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(managementGroup().id, readerId, principalId)
  properties: { roleDefinitionId: readerId, principalId: principalId, principalType: 'ServicePrincipal' }
}

resource approver 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(approverId)) {
  name: guid(managementGroup().id, approverId, principalId)
  properties: { roleDefinitionId: approverId, principalId: principalId, principalType: 'ServicePrincipal' }
}
