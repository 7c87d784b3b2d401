#!/bin/sh
# Starts the app under the Core Tools with a file of settings, and ends well if /api/health answers with that status.
# local.env names the local Azure, as in the README ("With the Core Tools").
set -eu
settings=$1 expected=$2
: > func.log
# shellcheck disable=SC2046 # one word for each variable
env $(cat local.env) HUBWARDEN_CONFIG="$settings" func start --port 7071 > func.log 2>&1 &
host=$!
trap 'kill $host 2> /dev/null || true' EXIT
status=000 left=120
while [ "$status" = 000 ] && [ "$left" -gt 0 ]; do
    sleep 1
    left=$((left - 1))
    status=$(curl --silent --output /dev/null --write-out '%{http_code}' http://127.0.0.1:7071/api/health || true)
    [ "$status" != 404 ] || status=000 # the host answers before the functions are there
done
kill $host 2> /dev/null || true
wait $host 2> /dev/null || true
[ "$status" = "$expected" ] || {
    cat func.log
    echo "health answered $status, not $expected" >&2
    exit 1
}
