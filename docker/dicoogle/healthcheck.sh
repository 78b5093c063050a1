#!/usr/bin/env bash
# Healthy: Dicoogle's web API answers, and both DICOM services accept a connection.
# Dicoogle keeps running when one of the three failed to start.
set -eu

exec 3<> "/dev/tcp/$DICOOGLE_HOST/$DICOOGLE_WEB_PORT"
printf 'GET /ext/version HTTP/1.0\r\n\r\n' >&3
read -r -t 5 status <&3
[[ $status == HTTP/*' 200 '* ]] || { echo "/ext/version answers: $status" >&2; exit 1; }

exec 4<> "/dev/tcp/$DICOOGLE_HOST/$DICOOGLE_STORAGE_PORT"
exec 5<> "/dev/tcp/$DICOOGLE_HOST/$DICOOGLE_QUERY_PORT"
