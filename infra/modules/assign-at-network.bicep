// One role for one identity on a virtual network, which must be there.

@description('The network\'s name, in this resource group.')
param network string

@description('The id of the role definition.')
param roleId string

@description('The object id of the identity.')
param principalId string

resource linked 'Microsoft.Network/virtualNetworks@2024-05-01' existing = {
  name: network
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(linked.id, roleId, principalId)
  scope: linked
  properties: { roleDefinitionId: roleId, principalId: principalId, principalType: 'ServicePrincipal' }
}
