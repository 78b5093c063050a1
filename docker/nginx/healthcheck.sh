#!/bin/sh
# Healthy: nginx itself answers over TLS. Whether Dicoogle does is Dicoogle's own check.
set -eu

exec curl --silent --show-error --fail --insecure --max-time 4 --output /dev/null \
  "https://127.0.0.1:$NGINX_LISTEN_PORT/healthz"
