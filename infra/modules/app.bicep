// The function app: its settings, who gets in, and who is signed in. The plan under it is in flex.bicep or premium.bicep.

@description('Part of the names; the app\'s own is unique in the whole cloud.')
param name string
param location string
param tags object

@allowed(['flex', 'premium'])
param plan string

@description('Flex: memory of an instance in MB, the most instances, and how many are kept ready for events.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int
param maximumInstances int
param alwaysReady int

@description('Premium: the name of the package\'s blob in the container.')
param packageName string

@description('The identity: its id and its client id.')
param identityId string
param identityClientId string

@description('Addresses of blobs of the host\'s account, and of services of the account with the work.')
param hostBlobUri string
param workQueueUri string
param workTableUri string

@description('The container of the host\'s account that holds the deployed package.')
param packageContainer string

@description('Of Application Insights.')
param telemetry string

@description('When the timers are due, in NCRONTAB with seconds first.')
param sweepSchedule string
param pendingSchedule string
param coverageSchedule string

@description('The app registration by which people are signed in; empty: nobody is, and nobody can decide.')
param signInClientId string

@description('Address ranges that may call the app, beside Event Grid, and that may deploy to it; none for the latter: all.')
param callers array
param deployers array

@description('The subnet that the app reaches the network through; empty: it reaches everything from outside.')
param subnetId string

var packageContainerUri = '${hostBlobUri}${packageContainer}'
var siteName = 'func-${name}-${uniqueString(resourceGroup().id)}'

// All that the app reads of its environment and the platform does not set by itself (docs/settings.md). Of its own account
// the host gets blobs only, for keys and timers: without triggers on blobs it needs no queue there.
var settings = {
  AZURE_CLIENT_ID: identityClientId
  AzureWebJobsStorage__blobServiceUri: hostBlobUri
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  HUBWARDEN_STORAGE__queueServiceUri: workQueueUri
  HUBWARDEN_STORAGE__tableServiceUri: workTableUri
  HUBWARDEN_STORAGE__credential: 'managedidentity'
  HUBWARDEN_STORAGE__clientId: identityClientId
  HUBWARDEN_SWEEP: sweepSchedule
  HUBWARDEN_PENDING: pendingSchedule
  HUBWARDEN_COVERAGE: coverageSchedule
  APPLICATIONINSIGHTS_CONNECTION_STRING: telemetry
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  // The exporter tells Microsoft about itself, and asks there what to do otherwise: neither is asked for here, and from
  // a closed network neither gets out.
  APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL: 'true'
  APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED: 'true'
}

// The webhook of Event Grid and the API are one site, so the rules are for both: the path cannot be told apart here.
var eventGrid = { name: 'event-grid', priority: 100, action: 'Allow', tag: 'ServiceTag', ipAddress: 'AzureEventGrid' }
var callerRules = [
  for (range, number) in callers: { name: 'caller-${number}', priority: 200 + number, action: 'Allow', ipAddress: range }
]
var deployerRules = [
  for (range, number) in deployers: { name: 'deployer-${number}', priority: 200 + number, action: 'Allow', ipAddress: range }
]
var access = {
  inbound: concat([eventGrid], callerRules)
  scm: deployerRules
  scmDefault: empty(deployers) ? 'Allow' : 'Deny'
}

module flex 'flex.bicep' = if (plan == 'flex') {
  name: 'flex'
  params: {
    siteName: siteName
    planName: 'plan-${name}'
    location: location
    tags: union(tags, { 'azd-service-name': 'hubwarden' })
    identityId: identityId
    settings: settings
    access: access
    subnetId: subnetId
    packageContainerUri: packageContainerUri
    instanceMemoryMB: instanceMemoryMB
    maximumInstances: maximumInstances
    alwaysReady: alwaysReady
  }
}

module premium 'premium.bicep' = if (plan == 'premium') {
  name: 'premium'
  params: {
    siteName: siteName
    planName: 'plan-${name}'
    location: location
    tags: union(tags, { 'azd-service-name': 'hubwarden' })
    identityId: identityId
    settings: settings
    access: access
    subnetId: subnetId
    packageUri: '${packageContainerUri}/${packageName}'
  }
}

resource site 'Microsoft.Web/sites@2024-04-01' existing = {
  name: siteName
}

// Tokens of the app registration are checked and told to the app; who comes without one still gets in, because Event Grid
// and function keys do. The app itself asks for a role where one is needed.
resource signIn 'Microsoft.Web/sites/config@2024-04-01' = if (!empty(signInClientId)) {
  parent: site
  name: 'authsettingsV2'
  dependsOn: [flex, premium]
  properties: {
    platform: { enabled: true }
    globalValidation: { requireAuthentication: false, unauthenticatedClientAction: 'AllowAnonymous' }
    httpSettings: { requireHttps: true }
    login: { tokenStore: { enabled: false } }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: signInClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: { allowedAudiences: ['api://${signInClientId}', signInClientId] }
      }
    }
  }
}

// Flex Consumption has no FTP.
resource noFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = if (plan == 'premium') {
  parent: site
  name: 'ftp'
  dependsOn: [premium]
  properties: { allow: false }
}

resource noPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: site
  name: 'scm'
  dependsOn: [flex, premium]
  properties: { allow: false }
}

output id string = resourceId('Microsoft.Web/sites', siteName)
output name string = siteName
