// A subscription of the estate tells Hubwarden what happens to its private endpoints and connections.
targetScope = 'subscription'

@description('The app\'s id: HUBWARDEN_APP_ID of main.bicep. Its code must be there, because Event Grid asks the function first.')
param appId string

@description('The account with the work queue and the dead letters, by id: HUBWARDEN_WORK_ACCOUNT_ID of main.bicep.')
param workAccountId string

@description('function: to the function, by a key that Event Grid fetches itself. queue: to the work queue, by identity.')
@allowed(['function', 'queue'])
param deliverTo string = 'function'

@description('An identity by which Event Grid writes to the account: dead letters (Storage Blob Data Contributor), and the queue (Storage Queue Data Message Sender). Microsoft documents that topics of subscriptions cannot have one: try it on one spoke first. Empty: no dead letters; what is lost is found by the next sweep.')
param identityId string = ''

@description('Whom to tell of events that Event Grid drops: action groups, by id; none: nobody.')
param alertTo array = []

@description('How grave that is: 0 (critical) to 4.')
@minValue(0)
@maxValue(4)
param alertSeverity int = 1

@description('Whether topic and group are there already: a subscription has one topic at most. Then they stay as they are, and only the event subscription is made.')
param topicExists bool = false

@description('The resource group of the topic.')
param groupName string = 'rg-hubwarden-events'

@description('The topic\'s name.')
param topicName string = 'evgt-hubwarden'

@description('The region of the group, which a group never changes; the topic is global.')
param location string = deployment().location

@description('Tags of group and topic.')
param tags object = {}

var lacksIdentity = deliverTo == 'queue' && empty(identityId)
var delivery = lacksIdentity ? fail('identityId: the work queue takes no keys; name an identity that delivers.') : deliverTo

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = if (!topicExists) {
  name: groupName
  location: location
  tags: tags
}

module topic 'modules/spoke-topic.bicep' = {
  name: 'hubwarden-topic'
  scope: group
  params: {
    topicName: topicName
    topicExists: topicExists
    tags: tags
    appId: appId
    deliverTo: delivery
    workAccountId: workAccountId
    identityId: identityId
    alertTo: alertTo
    alertSeverity: alertSeverity
  }
}
