#!/usr/bin/env bash
# healthcheck.sh PORT: Ghostunnel listens and, as a server, reaches its target.
# PORT is the one given to Ghostunnel as --status http://127.0.0.1:PORT.
set -eu

exec 3<> "/dev/tcp/127.0.0.1/$1"
printf 'GET /_status HTTP/1.0\r\n\r\n' >&3
read -r -t 5 status <&3
[[ $status == HTTP/*' 200 '* ]] || { echo "/_status answers: $status" >&2; exit 1; }
