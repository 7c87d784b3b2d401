// Hubwarden in a connectivity subscription. The spokes' event subscriptions follow when the app's code is there, because
// Event Grid asks the function first: spokes.bicep. docs/install.md goes through it.
targetScope = 'subscription'

@description('Part of every name; told apart from another installation in the same tenant.')
@minLength(3)
@maxLength(12)
param name string = 'hubwarden'

@description('The region of everything.')
@minLength(1)
param location string = deployment().location

@description('flex: Flex Consumption, in the public cloud only until it is proven in others. premium: Elastic Premium, which runs from a package in a blob.')
@allowed(['flex', 'premium'])
param plan string = 'flex'

@description('Flex: memory of an instance, in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Flex: the most instances of each function; Azure takes no fewer than 40.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@description('Flex: instances that wait for events and never sleep; none saves money, and an event after a quiet hour takes seconds longer.')
@minValue(0)
@maxValue(20)
param alwaysReady int = 1

@description('Premium: the package, by the name of its blob in the host account\'s container `package`, where it is put afterwards.')
@minLength(1)
param packageName string = 'hubwarden.zip'

@description('How the storage accounts are kept. Where a region has no zones, Standard_LRS: the ledger can be made again.')
@allowed(['Standard_ZRS', 'Standard_LRS', 'Standard_GRS', 'Standard_GZRS'])
param storageKept string = 'Standard_ZRS'

@description('Subscriptions of the estate, by id: the reader is assigned in each, and where zoneGroups are. Leave out those beneath managementGroup.')
param estateSubscriptions array = []

@description('A management group over the estate, by name, where the roles may then be assigned, too (estate.bicep). Empty: none.')
param managementGroup string = ''

@description('The resource groups under hubs[].zones, by id. They must be there; the record writer is assigned in each, and nowhere else.')
@minLength(1)
param zoneGroups array

@description('Whether hubs make missing zones (createZones): then the zone maker is assigned in zoneGroups, and on networks.')
param createZones bool = false

@description('The networks under hubs[].networks, by id; for createZones only.')
param networks array = []

@description('Whether connections are answered by rule or by people. If not, the identity has no right to answer any.')
param approvals bool = false

@description('With approvals: subscriptions whose connections may be answered, by id; narrower scopes are in docs/install.md.')
param approveIn array = []

@description('Types of resources whose connections are looked at, and answered, as in roles/connection-types.json; fewer make the roles smaller.')
param connectionTypes object = loadJsonContent('roles/connection-types.json')

@description('When the whole estate is looked at, in NCRONTAB with seconds first.')
param sweepSchedule string = '0 */15 * * * *'

@description('When the connections that wait are looked at, in the same form.')
param pendingSchedule string = '0 * * * * *'

@description('When it is asked whether the app is told of what happens in each subscription, in the same form.')
param coverageSchedule string = '0 30 5 * * *'

@description('Whether there is a custom topic for what Hubwarden did; its address then goes into events.topic of hubwarden.yaml.')
param topic bool = false

@description('The app registration by which people are signed in, by client id (docs/install.md). Empty: the app runs, and nobody can decide.')
param signInClientId string = ''

@description('Address ranges, as in 203.0.113.0/24, that may call the API, beside Event Grid. None: nobody else gets in.')
param callers array = []

@description('Address ranges that may deploy code. None: from everywhere, by identity only.')
param deployers array = []

@description('Private networking: {appSubnetId, endpointSubnetId, zoneIds: {blob, queue, table}}; empty: none, and storage is reached from outside, by identity only.')
param network object = {}

@description('Days for which logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 90

@description('Whether there are alerts and a workbook; the activity logs of the zones\' subscriptions then go to the workspace.')
param alerts bool = true

@description('Whom alerts tell: action groups, by id. None: they show in the portal only.')
param alertTo array = []

@description('Of alerts that mean wrong names, lost events or another\'s hand: 0 (critical) to 4.')
@minValue(0)
@maxValue(4)
param urgentSeverity int = 1

@description('Of the other alerts.')
@minValue(0)
@maxValue(4)
param otherSeverity int = 2

@description('Above what alerts fire, each explained in alerts.bicep; sweepMinutes is twice the time between two sweeps.')
param alertThresholds object = {
  failed: 0
  latePercent: 5
  sweepMinutes: 30
  waitingHours: 24
  zonePercent: 80
}

@description('Tags of everything.')
param tags object = {}

var isPublicCloud = environment().name == 'AzureCloud'
var isUnproven = plan == 'flex' && !isPublicCloud
var provenPlan = isUnproven ? fail('plan: Flex Consumption is not proven in ${environment().name}; take premium.') : plan

// What Azure would refuse late, in words that do not name the parameter, or not at all. The id of a subscription has five
// parts; that of a resource group has five, and that of a network nine, with the empty first.
var isNowhere = empty(estateSubscriptions) && empty(managementGroup)
var estate = isNowhere ? fail('estateSubscriptions, managementGroup: name the estate by one of them.') : estateSubscriptions
var oddSpokes = [for id in concat(estateSubscriptions, approveIn): length(split(id, '-')) == 5 && length(id) == 36 ? '' : ' ${id}']
var areSpokes = empty(join(oddSpokes, ''))
var spokes = areSpokes ? estate : fail('estateSubscriptions, approveIn: no id of a subscription:${join(oddSpokes, '')}')
var oddNetworks = [for id in networks: length(split(id, '/')) == 9 ? '' : ' ${id}']
var areNetworks = empty(join(oddNetworks, ''))
var hubNetworks = areNetworks ? networks : fail('networks: no id of a virtual network:${join(oddNetworks, '')}')
var joined = createZones ? hubNetworks : []
var answering = approvals ? approveIn : []
var isPrivate = !empty(network)
var hasSubnets = contains(network, 'appSubnetId') && contains(network, 'endpointSubnetId') && contains(network, 'zoneIds')
var lacksSubnets = isPrivate && !hasSubnets
var privateNetwork = lacksSubnets ? fail('network: it has appSubnetId, endpointSubnetId and zoneIds, or nothing.') : network
var oddGroups = [for id in zoneGroups: length(split(id, '/')) == 5 ? '' : ' ${id}']
var areGroups = empty(join(oddGroups, ''))
var groups = areGroups ? zoneGroups : fail('zoneGroups: no id of a resource group:${join(oddGroups, '')}')
// The zones' subscriptions, too: only where the first is shown is it known which tenant is ours.
var zonesIn = [for id in groups: split(id, '/')[2]]
var readable = union(spokes, zonesIn)
var readIn = [for id in readable: '/subscriptions/${id}']
var answeredIn = [for id in answering: '/subscriptions/${id}']
var writtenIn = [for id in groups: '/subscriptions/${split(id, '/')[2]}']
var joinedIn = [for id in joined: '/subscriptions/${split(id, '/')[2]}']
var above = empty(managementGroup) ? [] : ['/providers/Microsoft.Management/managementGroups/${managementGroup}']
var stored = loadJsonContent('storage.json')
var suffix = uniqueString(subscription().id, name)

// Built-in roles of the app's own storage.
var blobOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' // Storage Blob Data Owner: keys, leases of timers, the package
var queueContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // Storage Queue Data Contributor
var tableContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${name}'
  location: location
  tags: union(tags, { 'azd-env-name': name })
}

module roles 'roles.bicep' = {
  name: '${name}-roles'
  params: {
    name: name
    assignableScopes: union([subscription().id], readIn, answeredIn, writtenIn, joinedIn, above)
    connectionTypes: connectionTypes
  }
}

module identity 'modules/identity.bicep' = {
  name: '${name}-identity'
  scope: group
  params: { name: name, location: location, tags: tags }
}

// What the app is for comes before the app: a group or a subscription that is not there stops everything here.

module reader 'modules/assign-at-subscription.bicep' = [
  for id in readable: {
    name: '${name}-reader-${uniqueString(id)}'
    scope: subscription(id)
    params: { roleId: roles.outputs.estateReaderId, principalId: identity.outputs.principalId }
  }
]

module writer 'modules/assign-at-group.bicep' = [
  for id in groups: {
    name: '${name}-writer-${uniqueString(id)}'
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: { roleId: roles.outputs.recordWriterId, principalId: identity.outputs.principalId }
  }
]

module maker 'modules/assign-at-group.bicep' = [
  for id in (createZones ? groups : []): {
    name: '${name}-maker-${uniqueString(id)}'
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: { roleId: roles.outputs.zoneMakerId, principalId: identity.outputs.principalId }
  }
]

module joiner 'modules/assign-at-network.bicep' = [
  for id in joined: {
    name: '${name}-joiner-${uniqueString(id)}'
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: {
      network: last(split(id, '/'))
      roleId: roles.outputs.zoneMakerId
      principalId: identity.outputs.principalId
    }
  }
]

module approver 'modules/assign-at-subscription.bicep' = [
  for id in answering: {
    name: '${name}-approver-${uniqueString(id)}'
    scope: subscription(id)
    params: { roleId: roles.outputs.connectionApproverId, principalId: identity.outputs.principalId }
  }
]

module hostStorage 'modules/storage.bicep' = {
  name: '${name}-host-storage'
  scope: group
  dependsOn: [reader, writer, maker, joiner, approver]
  params: {
    name: 'sthw${take(suffix, 12)}host'
    location: location
    tags: tags
    kept: storageKept
    containers: [stored.package]
    isPublic: !isPrivate
    principalId: identity.outputs.principalId
    roles: [blobOwner]
  }
}

module workStorage 'modules/storage.bicep' = {
  name: '${name}-work-storage'
  scope: group
  dependsOn: [reader, writer, maker, joiner, approver]
  params: {
    name: 'sthw${take(suffix, 12)}work'
    location: location
    tags: tags
    kept: storageKept
    containers: [stored.deadLetters]
    expiringContainer: stored.deadLetters
    queues: stored.queues
    tables: stored.tables
    isPublic: !isPrivate
    principalId: identity.outputs.principalId
    roles: [queueContributor, tableContributor]
  }
}

module privateStorage 'modules/private-storage.bicep' = if (isPrivate) {
  name: '${name}-private-storage'
  scope: group
  params: {
    name: name
    location: location
    tags: tags
    subnetId: privateNetwork.endpointSubnetId
    zoneIds: privateNetwork.zoneIds
    hostAccountId: hostStorage.outputs.id
    workAccountId: workStorage.outputs.id
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: '${name}-monitoring'
  scope: group
  params: {
    name: name
    location: location
    tags: tags
    retentionDays: logDays
    principalId: identity.outputs.principalId
  }
}

module alerting 'alerts.bicep' = if (alerts) {
  name: '${name}-alerts'
  scope: group
  params: {
    name: name
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    principalId: identity.outputs.principalId
    actionGroups: alertTo
    urgentSeverity: urgentSeverity
    otherSeverity: otherSeverity
    failed: alertThresholds.failed
    latePercent: alertThresholds.latePercent
    sweepMinutes: alertThresholds.sweepMinutes
    waitingHours: alertThresholds.waitingHours
    zonePercent: alertThresholds.zonePercent
  }
}

module workbook 'modules/workbook.bicep' = if (alerts) {
  name: '${name}-workbook'
  scope: group
  params: { name: name, location: location, tags: tags, workspaceId: monitoring.outputs.workspaceId }
}

module activityLog 'modules/activity-log.bicep' = [
  for id in (alerts ? union(writtenIn, answeredIn) : []): {
    name: '${name}-activity-log'
    scope: subscription(split(id, '/')[2])
    params: { name: name, workspaceId: monitoring.outputs.workspaceId }
  }
]

module deadLetterLog 'modules/dead-letter-log.bicep' = if (alerts) {
  name: '${name}-dead-letter-log'
  scope: group
  params: { accountName: workStorage.outputs.name, workspaceId: monitoring.outputs.workspaceId }
}

module customTopic 'modules/topic.bicep' = if (topic) {
  name: '${name}-topic'
  scope: group
  params: { name: name, location: location, tags: tags, principalId: identity.outputs.principalId }
}

module app 'modules/app.bicep' = {
  name: '${name}-app'
  scope: group
  dependsOn: [privateStorage]
  params: {
    name: name
    location: location
    tags: tags
    plan: provenPlan
    instanceMemoryMB: instanceMemoryMB
    maximumInstances: maximumInstances
    alwaysReady: alwaysReady
    packageName: packageName
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostBlobUri: hostStorage.outputs.blobUri
    workQueueUri: workStorage.outputs.queueUri
    workTableUri: workStorage.outputs.tableUri
    packageContainer: stored.package
    telemetry: monitoring.outputs.connectionString
    sweepSchedule: sweepSchedule
    pendingSchedule: pendingSchedule
    coverageSchedule: coverageSchedule
    signInClientId: signInClientId
    callers: callers
    deployers: deployers
    subnetId: isPrivate ? privateNetwork.appSubnetId : ''
  }
}

@description('For spokes.bicep, estate.bicep and policy/event-subscriptions.bicep.')
output HUBWARDEN_APP_ID string = app.outputs.id
output HUBWARDEN_WORK_ACCOUNT_ID string = workStorage.outputs.id
output HUBWARDEN_PRINCIPAL_ID string = identity.outputs.principalId
output HUBWARDEN_READER_ID string = roles.outputs.estateReaderId
output HUBWARDEN_APPROVER_ID string = roles.outputs.connectionApproverId
output HUBWARDEN_ALERT_TO array = alerts ? alertTo : []

@description('For azd and the Azure CLI.')
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP string = app.outputs.name

@description('Where the premium plan\'s package is put.')
output HUBWARDEN_HOST_ACCOUNT string = hostStorage.outputs.name

@description('For events.topic and records.protected of hubwarden.yaml.')
output HUBWARDEN_TOPIC string = topic ? customTopic!.outputs.endpoint : ''
output HUBWARDEN_PROTECTED_NAMES array = isPrivate ? privateStorage!.outputs.names : []
