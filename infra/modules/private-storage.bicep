// The private endpoints by which the app reaches its own storage. Their records are made by zone groups, so they never
// depend on the app; their names also belong in records.protected of hubwarden.yaml.

@description('Part of the names.')
param name string
param location string
param tags object

@description('The subnet that the endpoints are put into.')
param subnetId string

@description('The hub\'s zones for blob, queue and table, by id.')
param zoneIds object

@description('The accounts of the host and of the work, by id.')
param hostAccountId string
param workAccountId string

var ends = [
  { service: 'blob', account: hostAccountId }
  { service: 'queue', account: workAccountId }
  { service: 'table', account: workAccountId }
]

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = [
  for end in ends: {
    name: 'pe-${name}-${end.service}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        { name: end.service, properties: { privateLinkServiceId: end.account, groupIds: [end.service] } }
      ]
    }
  }
]

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = [
  for (end, number) in ends: {
    parent: endpoint[number]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [{ name: end.service, properties: { privateDnsZoneId: zoneIds[end.service] } }]
    }
  }
]

output names array = [for end in ends: '${last(split(end.account, '/'))}.${end.service}.${environment().suffixes.storage}']
