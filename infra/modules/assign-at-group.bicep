// One role for one identity on a resource group, which must be there.

@description('The id of the role definition.')
param roleId string

@description('The object id of the identity.')
param principalId string

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, roleId, principalId)
  properties: { roleDefinitionId: roleId, principalId: principalId, principalType: 'ServicePrincipal' }
}
