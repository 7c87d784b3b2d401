// One role for one identity on a whole subscription.
targetScope = 'subscription'

@description('The id of the role definition.')
param roleId string

@description('The object id of the identity.')
param principalId string

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, roleId, principalId)
  properties: { roleDefinitionId: roleId, principalId: principalId, principalType: 'ServicePrincipal' }
}
