// spoke.bicep for each subscription of the estate. It is deployed when the app's code is there.
targetScope = 'subscription'

@description('Subscriptions of the estate, by id.')
@minLength(1)
param subscriptions array

@description('HUBWARDEN_APP_ID of main.bicep.')
param appId string

@description('HUBWARDEN_WORK_ACCOUNT_ID of main.bicep.')
param workAccountId string

@description('As in spoke.bicep.')
@allowed(['function', 'queue'])
param deliverTo string = 'function'

@description('As in spoke.bicep.')
param identityId string = ''

@description('As in spoke.bicep.')
param alertTo array = []

var odd = [for id in subscriptions: length(split(id, '-')) == 5 && length(id) == 36 ? '' : ' ${id}']
var areIds = empty(join(odd, ''))
var spokes = areIds ? subscriptions : fail('subscriptions: no id of a subscription:${join(odd, '')}')

module spoke 'spoke.bicep' = [
  for id in spokes: {
    name: 'hubwarden-spoke-${uniqueString(id)}'
    scope: subscription(id)
    params: {
      appId: appId
      workAccountId: workAccountId
      deliverTo: deliverTo
      identityId: identityId
      alertTo: alertTo
      location: deployment().location
    }
  }
]
