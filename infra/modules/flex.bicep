// The app on Flex Consumption: Python 3.13, its package in a container that it reads with its identity. What Microsoft lists as
// "Flex Consumption plan deprecations" is not here: settings of the worker and of builds, and FTP.

param siteName string
param planName string
param location string
param tags object

@description('The id of the user-assigned identity.')
param identityId string

@description('The app\'s settings, by name.')
param settings object

@description('Rules for who gets in: inbound and scm, and scmDefault, which is Allow or Deny.')
param access object

@description('The subnet for outbound traffic, delegated to Microsoft.App/environments, without an underscore in its name; or empty.')
param subnetId string

@description('The container with the package.')
param packageContainerUri string

@allowed([512, 2048, 4096])
param instanceMemoryMB int

@minValue(40)
@maxValue(1000)
param maximumInstances int

@description('Instances of the function `events` that never sleep: without one an event after a quiet hour pays for a start.')
@minValue(0)
param alwaysReady int

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource site 'Microsoft.Web/sites@2024-04-01' = {
  name: siteName
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientCertEnabled: false
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      runtime: { name: 'python', version: '3.13' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUri
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstances
        alwaysReady: alwaysReady == 0 ? [] : [{ name: 'function:events', instanceCount: alwaysReady }]
      }
    }
    siteConfig: {
      appSettings: [for setting in items(settings): { name: setting.key, value: setting.value }]
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      ipSecurityRestrictions: access.inbound
      ipSecurityRestrictionsDefaultAction: 'Deny'
      scmIpSecurityRestrictions: access.scm
      scmIpSecurityRestrictionsDefaultAction: access.scmDefault
      scmIpSecurityRestrictionsUseMain: false
    }
  }
}
