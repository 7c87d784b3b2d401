// The roles of Hubwarden's identity, made from the lists in roles/, which say what each action is for. Tests hold the
// lists to what the app asks for.
targetScope = 'subscription'

@description('Told apart from another installation in the same tenant, where a role\'s name must be unique.')
param name string

@description('Where the roles may be assigned: subscriptions by id, and at most one management group, which is what Azure allows a role.')
param assignableScopes array

@description('Types of resources whose connections are looked at (shown), and answered, too (answered). A type that Azure knows no such action for refuses the whole role: take it out.')
param connectionTypes object

var reader = loadJsonContent('roles/estate-reader.json')
var writer = loadJsonContent('roles/record-writer.json')
var maker = loadJsonContent('roles/zone-maker.json')
var approver = loadJsonContent('roles/connection-approver.json')

var looked = concat(connectionTypes.shown, connectionTypes.answered)
// The actions of each type, put together as text and taken apart again: `{type}` stands for the type in a role's file.
var readerOfTypes = [for kind in looked: replace(join(objectKeys(reader.actionsOfTypes), ' '), '{type}', kind)]
var approverOfTypes = [
  for kind in connectionTypes.answered: replace(join(objectKeys(approver.actionsOfTypes), ' '), '{type}', kind)
]
var approverName = guid(subscription().id, name, 'connection-approver')
var readerActions = concat(objectKeys(reader.actions), empty(looked) ? [] : split(join(readerOfTypes, ' '), ' '))

resource estateReader 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, name, 'estate-reader')
  properties: {
    roleName: '${reader.name} (${name})'
    description: reader.description
    type: 'CustomRole'
    assignableScopes: assignableScopes
    permissions: [{ actions: readerActions, notActions: [] }]
  }
}

resource recordWriter 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, name, 'record-writer')
  properties: {
    roleName: '${writer.name} (${name})'
    description: writer.description
    type: 'CustomRole'
    assignableScopes: assignableScopes
    permissions: [{ actions: objectKeys(writer.actions), notActions: [] }]
  }
}

resource zoneMaker 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, name, 'zone-maker')
  properties: {
    roleName: '${maker.name} (${name})'
    description: maker.description
    type: 'CustomRole'
    assignableScopes: assignableScopes
    permissions: [{ actions: objectKeys(maker.actions), notActions: [] }]
  }
}

// A role without an action is refused, so there is none where nothing is answered.
resource connectionApprover 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (!empty(connectionTypes.answered)) {
  name: approverName
  properties: {
    roleName: '${approver.name} (${name})'
    description: approver.description
    type: 'CustomRole'
    assignableScopes: assignableScopes
    permissions: [{ actions: split(join(approverOfTypes, ' '), ' '), notActions: [] }]
  }
}

output estateReaderId string = estateReader.id
output recordWriterId string = recordWriter.id
output zoneMakerId string = zoneMaker.id
output connectionApproverId string = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', approverName)
