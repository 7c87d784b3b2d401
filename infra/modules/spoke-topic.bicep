// The system topic of a subscription, and the event subscription that tells Hubwarden of it.

@description('The topic\'s name, and whether it is there already: to make it anew would take its tags and its identity away.')
param topicName string
param topicExists bool
param tags object

@description('The app\'s id; the function that is told is `events`.')
param appId string

@allowed(['function', 'queue'])
param deliverTo string

@description('The account with the work queue and the container for dead letters, by id.')
param workAccountId string

@description('The identity that delivers to the account, by id; empty: none.')
param identityId string

@description('Whom to tell of events that Event Grid drops: action groups, by id; none: nobody.')
param alertTo array

@description('How grave that is: 0 (critical) to 4.')
param alertSeverity int

var events = loadJsonContent('../events.json')
var stored = loadJsonContent('../storage.json')
var byIdentity = { type: 'UserAssigned', userAssignedIdentity: identityId }
var wanted = {
  includedEventTypes: events.includedEventTypes
  advancedFilters: [{ operatorType: 'StringContains', key: 'data.operationName', values: events.operations }]
}
// Only an identity can write dead letters, because the account has no keys.
var deadLetters = {
  identity: byIdentity
  deadLetterDestination: {
    endpointType: 'StorageBlob'
    properties: { resourceId: workAccountId, blobContainerName: stored.deadLetters }
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = if (!topicExists) {
  name: topicName
  location: 'global'
  tags: tags
  identity: empty(identityId) ? null : { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: { source: subscription().id, topicType: 'Microsoft.Resources.Subscriptions' }
}

resource toFunction 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = if (deliverTo == 'function') {
  parent: topic
  name: 'hubwarden'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'AzureFunction'
      properties: { resourceId: '${appId}/functions/events', maxEventsPerBatch: 1, preferredBatchSizeInKilobytes: 64 }
    }
    filter: wanted
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    deadLetterWithResourceIdentity: empty(identityId) ? null : deadLetters
  }
}

resource toQueue 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = if (deliverTo == 'queue') {
  parent: topic
  name: 'hubwarden-queue'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    deliveryWithResourceIdentity: {
      identity: { type: 'UserAssigned', userAssignedIdentity: identityId }
      destination: {
        endpointType: 'StorageQueue'
        properties: {
          resourceId: workAccountId
          queueName: stored.queues[0]
          queueMessageTimeToLiveInSeconds: 604800
        }
      }
    }
    filter: wanted
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    deadLetterWithResourceIdentity: empty(identityId) ? null : deadLetters
  }
}

// What is dropped is in no log of ours: only the topic counts it.
resource dropped 'Microsoft.Insights/metricAlerts@2018-03-01' = if (!empty(alertTo)) {
  name: 'alert-${topicName}-dropped'
  dependsOn: [topic]
  location: 'global'
  tags: tags
  properties: {
    description: 'Event Grid dropped events. What it means and what to do: docs/operations.md, dropped.'
    severity: alertSeverity
    enabled: true
    scopes: [resourceId('Microsoft.EventGrid/systemTopics', topicName)]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'dropped'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'DroppedEventCount'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    autoMitigate: true
    actions: [for id in alertTo: { actionGroupId: id }]
  }
}
