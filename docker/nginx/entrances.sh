#!/bin/sh
# Runs an nginx for each entrance, so that whoever takes all connections of one leaves the other alone.
# They end together.
set -eu

stopped=
# stop: each nginx that runs ends with its last request.
stop() {
  cat web.pid management.pid 2> /dev/null | while read -r pid; do
    kill -QUIT "$pid"
  done || true
}
trap 'stopped=yes; stop' QUIT TERM
trap stop USR1

# entrance NAME: runs until its nginx ends, and then ends the other.
entrance() {
  nginx -e stderr -p "$NGINX_RUN/" -c "$1.conf" || true
  kill -USR1 $$
}
entrance web &
entrance management &
until wait; do :; done
[ "$stopped" ]
