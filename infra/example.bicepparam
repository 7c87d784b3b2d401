// An estate of three subscriptions and one hub, as in hubwarden.yaml: az deployment sub create --location westeurope \
//   --template-file infra/main.bicep --parameters infra/example.bicepparam
using 'main.bicep'

param location = 'westeurope'

param estateSubscriptions = [
  '11111111-1111-4111-8111-111111111111' // connectivity, with the hub
  '22222222-2222-4222-8222-222222222222' // orders
  '33333333-3333-4333-8333-333333333333' // billing
]

param zoneGroups = [
  '/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-dns'
]

// Connections are answered in one spoke only.
param approvals = true
param approveIn = ['22222222-2222-4222-8222-222222222222']

// The company's own network may call the API and deploy.
param callers = ['203.0.113.0/24']
param deployers = ['203.0.113.0/24']

param tags = { owner: 'connectivity' }
