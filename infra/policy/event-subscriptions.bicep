// A policy that gives each subscription under a management group its event subscription, also those that come later: the
// same that spoke.bicep makes with delivery to the function. Azure Policy deploys it as soon as it sees the subscription
// (or when a remediation is asked for); until then the sweep sees what happens there.
targetScope = 'managementGroup'

@description('HUBWARDEN_APP_ID of main.bicep.')
param appId string

@description('DeployIfNotExists makes what is missing; AuditIfNotExists only shows it.')
@allowed(['DeployIfNotExists', 'AuditIfNotExists', 'Disabled'])
param effect string = 'DeployIfNotExists'

@description('The region of the policy\'s identity, of its deployments, and of the group for each topic.')
param location string = deployment().location

@description('As in spoke.bicep.')
param groupName string = 'rg-hubwarden-events'

@description('As in spoke.bicep.')
param topicName string = 'evgt-hubwarden'

@description('Whom to tell of events that Event Grid drops: action groups, by id; none: nobody. The policy\'s identity must be allowed to read them: where they are not under this management group, give it Monitoring Reader there.')
param alertTo array = []

@description('How grave that is: 0 (critical) to 4.')
@minValue(0)
@maxValue(4)
param alertSeverity int = 1

var subscriber = loadJsonContent('subscriber.json')
// Made here, because a `copy` in the policy's own template is one that ARM would take for this deployment's.
var alertActions = [for id in alertTo: { actionGroupId: id }]

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(managementGroup().id, 'hubwarden-subscriber')
  properties: {
    roleName: '${subscriber.name} (${managementGroup().name})'
    description: subscriber.description
    type: 'CustomRole'
    assignableScopes: [managementGroup().id]
    permissions: [{ actions: objectKeys(subscriber.actions), notActions: [] }]
  }
}

resource definition 'Microsoft.Authorization/policyDefinitions@2023-04-01' = {
  name: 'hubwarden-event-subscriptions'
  properties: {
    displayName: 'Subscriptions tell Hubwarden of their private endpoints'
    description: 'Makes the system topic of a subscription, with an event subscription for Hubwarden.'
    policyType: 'Custom'
    mode: 'All'
    metadata: { category: 'Network' }
    parameters: {
      effect: { type: 'String', allowedValues: ['DeployIfNotExists', 'AuditIfNotExists', 'Disabled'] }
      appId: { type: 'String' }
      location: { type: 'String' }
      groupName: { type: 'String' }
      topicName: { type: 'String' }
      alertActions: { type: 'Array' }
      alertSeverity: { type: 'Integer' }
    }
    policyRule: {
      if: { field: 'type', equals: 'Microsoft.Resources/subscriptions' }
      then: {
        effect: '[parameters(\'effect\')]'
        details: {
          type: 'Microsoft.EventGrid/systemTopics'
          name: '[parameters(\'topicName\')]'
          resourceGroupName: '[parameters(\'groupName\')]'
          existenceScope: 'resourceGroup'
          deploymentScope: 'subscription'
          roleDefinitionIds: [role.id]
          deployment: {
            location: location
            properties: {
              mode: 'incremental'
              template: loadJsonContent('event-subscription.json')
              parameters: {
                appId: { value: '[parameters(\'appId\')]' }
                location: { value: '[parameters(\'location\')]' }
                groupName: { value: '[parameters(\'groupName\')]' }
                topicName: { value: '[parameters(\'topicName\')]' }
                alertActions: { value: '[parameters(\'alertActions\')]' }
                alertSeverity: { value: '[parameters(\'alertSeverity\')]' }
              }
            }
          }
        }
      }
    }
  }
}

resource assignment 'Microsoft.Authorization/policyAssignments@2023-04-01' = {
  name: 'hubwarden-events'
  location: location
  identity: { type: 'SystemAssigned' }
  properties: {
    displayName: definition.properties.displayName
    policyDefinitionId: definition.id
    parameters: {
      effect: { value: effect }
      appId: { value: appId }
      location: { value: location }
      groupName: { value: groupName }
      topicName: { value: topicName }
      alertActions: { value: alertActions }
      alertSeverity: { value: alertSeverity }
    }
  }
}

resource may 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(managementGroup().id, role.id, assignment.id)
  properties: {
    roleDefinitionId: role.id
    principalId: assignment.identity.principalId
    principalType: 'ServicePrincipal'
  }
}

@description('It also needs the right to subscribe at the app (docs/install.md).')
output HUBWARDEN_POLICY_PRINCIPAL_ID string = assignment.identity.principalId
