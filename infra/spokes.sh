#!/bin/sh
# Gives each subscription in HUBWARDEN_SPOKES (ids, with spaces between) its event subscription; azd runs it when the
# code is deployed, with what main.bicep gave out in the environment.
set -eu
if [ -z "${HUBWARDEN_SPOKES:-}" ]; then
    echo "HUBWARDEN_SPOKES names no subscription: nobody is subscribed yet (azd env set HUBWARDEN_SPOKES '<id> <id>')."
    exit 0
fi
list=$(printf '"%s",' $HUBWARDEN_SPOKES)
# The Azure CLI has a subscription of its own, which need not be the environment's.
az deployment sub create --subscription "$AZURE_SUBSCRIPTION_ID" --name hubwarden-spokes --location "$AZURE_LOCATION" \
    --template-file "$(dirname "$0")/spokes.bicep" \
    --parameters subscriptions="[${list%,}]" appId="$HUBWARDEN_APP_ID" workAccountId="$HUBWARDEN_WORK_ACCOUNT_ID" \
    alertTo="${HUBWARDEN_ALERT_TO:-[]}"
