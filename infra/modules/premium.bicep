// The app on Elastic Premium, for clouds where Flex Consumption is not proven: Python 3.13, run from a package in a blob
// that it reads with its identity, because a content share would need an account's key.

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

@description('The subnet for outbound traffic, delegated to Microsoft.Web/serverFarms; or empty.')
param subnetId string

@description('The address of the package\'s blob.')
param packageUri string

// What Flex Consumption has in functionAppConfig.
var platform = {
  FUNCTIONS_EXTENSION_VERSION: '~4'
  FUNCTIONS_WORKER_RUNTIME: 'python'
  WEBSITE_RUN_FROM_PACKAGE: packageUri
  WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID: identityId
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'elastic'
  sku: { name: 'EP1', tier: 'ElasticPremium' }
  properties: { reserved: true, maximumElasticWorkerCount: 10 }
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
    siteConfig: {
      linuxFxVersion: 'PYTHON|3.13'
      healthCheckPath: '/api/health'
      appSettings: [for setting in items(union(settings, platform)): { name: setting.key, value: setting.value }]
      minimumElasticInstanceCount: 1
      functionsRuntimeScaleMonitoringEnabled: true // the platform itself has no right to look into the queue
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      ftpsState: 'Disabled'
      ipSecurityRestrictions: access.inbound
      ipSecurityRestrictionsDefaultAction: 'Deny'
      scmIpSecurityRestrictions: access.scm
      scmIpSecurityRestrictionsDefaultAction: access.scmDefault
      scmIpSecurityRestrictionsUseMain: false
    }
  }
}
