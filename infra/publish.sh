#!/bin/sh
# Deploys a package to the app on Flex Consumption as it is: publish.sh <resource group> <app> <package>.
#
# `az functionapp deployment source config-zip` asks for a build there whenever the app is one in Python, whatever it is
# told (azure-cli, enable_zip_deploy_flex), and that would throw away what the package has compiled. This asks the same
# endpoint for none.
set -eu
group=$1 app=$2 package=$3
host=$(az resource show --resource-group "$group" --name "$app" --resource-type Microsoft.Web/sites --output tsv \
    --query "properties.hostNameSslStates[?hostType=='Repository'].name | [0]")
token=$(az account get-access-token --query accessToken --output tsv)
ask() { # the token comes by a pipe: arguments can be seen by whoever is on the machine
    printf 'header = "Authorization: Bearer %s"\n' "$token" | curl --silent --show-error --fail --config - "$@"
}

deployment=$(ask --request POST --header 'Content-Type: application/zip' --data-binary "@$package" \
    "https://$host/api/publish?RemoteBuild=false" | tr -d '"')
left=120
while [ "$left" -gt 0 ]; do
    left=$((left - 1))
    sleep 5
    # The endpoint may be away while the app is started anew.
    told=$(ask "https://$host/api/deployments/$deployment" 2> /dev/null || true)
    case $(printf %s "$told" | tr ',' '\n' | sed -n 's/.*"status": *\(-\{0,1\}[0-9]\{1,\}\).*/\1/p' | head -n 1) in
        4)
            echo "$package is deployed to $app."
            exit 0
            ;;
        -1 | 3 | 5 | 6)
            printf '%s\n%s\n' "$package was not deployed to $app; https://$host/api/deployments/$deployment/log:" "$told" >&2
            exit 1
            ;;
    esac
done
echo "nobody says what became of it: https://$host/api/deployments/$deployment" >&2
exit 1
