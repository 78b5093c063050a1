#!/bin/sh
# Checks the settings, writes them and the certificates where nginx.conf looks, and becomes nginx.
set -eu
umask 077

refuse() {
  echo "nginx: $*" >&2
  exit 64
}

# matches VALUE PATTERN: the whole value, which is one line, matches the extended pattern.
matches() {
  [ "$(printf %s "$1" | wc -l)" -eq 0 ] && printf %s "$1" | LC_ALL=C grep -Eqx -- "$2"
}

# items LIST: the items of a comma list, one a line.
items() {
  printf '%s\n' "$1" | tr ',' '\n' | sed -e 's/^ *//' -e 's/ *$//' -e '/^$/d'
}

check_pem() {
  case $2 in
    *-----BEGIN\ *"$3"-----*) ;;
    *) refuse "$1 must hold a PEM $3." ;;
  esac
}

# listen NAME PORT
listen() {
  { matches "$2" '[1-9][0-9]{0,4}' && [ "$2" -le 65535 ]; } \
    || refuse "$1: '$2' is no port: a number from 1 to 65535."
  echo "listen $2 ssl;"
}

upstream() {
  matches "$NGINX_UPSTREAM" '[A-Za-z0-9][A-Za-z0-9.-]*:[1-9][0-9]{0,4}' \
    || refuse "NGINX_UPSTREAM: '$NGINX_UPSTREAM' is not of the form host:port."
  echo "server $NGINX_UPSTREAM;"
}

# A blocked path also blocks everything below it, for one method or, without one, for all.
blocked() {
  items "$NGINX_BLOCKED_PATHS" | while IFS= read -r item; do
    matches "$item" '([A-Z]+ +)?/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]/?' \
      || refuse "NGINX_BLOCKED_PATHS: '$item' is not of the form /path or METHOD /path."
    path=$(echo "/${item#*/}" | sed -e 's|/$||' -e 's/[.]/[.]/g')
    method=$(echo "${item%%/*}" | tr -d ' ')
    echo "\"~^${method:-[A-Z]+} $path(/|\$)\" 1;"
  done
}

administrators() {
  [ -n "$(items "${NGINX_ADMINISTRATORS-}")" ] \
    || refuse "NGINX_ADMINISTRATORS must hold at least one common name of a client certificate."
  items "$NGINX_ADMINISTRATORS" | while IFS= read -r name; do
    matches "$name" '[A-Za-z0-9][A-Za-z0-9._-]{0,63}' \
      || refuse "NGINX_ADMINISTRATORS: '$name' is no common name: letters, digits, '.', '_' and '-'."
    echo "\"~^$(echo "$name" | sed -e 's/[.]/[.]/g')\$\" 0;"
  done
}

real_ip() {
  items "$NGINX_REAL_IP_FROM" | while IFS= read -r network; do
    matches "$network" '[0-9]+([.][0-9]+){3}(/[0-9]+)?' \
      || refuse "NGINX_REAL_IP_FROM: '$network' is no IPv4 network."
    echo "set_real_ip_from $network;"
  done
  echo "real_ip_header X-Forwarded-For;"
}

check_pem NGINX_CERT "${NGINX_CERT-}" CERTIFICATE
check_pem NGINX_KEY "${NGINX_KEY-}" 'PRIVATE KEY'
check_pem NGINX_CACERT "${NGINX_CACERT-}" CERTIFICATE
[ "$NGINX_MANAGEMENT_PORT" != "$NGINX_LISTEN_PORT" ] \
  || refuse "NGINX_MANAGEMENT_PORT: '$NGINX_MANAGEMENT_PORT' is NGINX_LISTEN_PORT, too."
[ -w "$NGINX_RUN" ] || refuse "$NGINX_RUN is not writable for user $(id -u): mount a volume there."

cd "$NGINX_RUN"
mkdir -p temp
cp "$NGINX_CONFIGURATION" nginx.conf
listen NGINX_LISTEN_PORT "$NGINX_LISTEN_PORT" > listen.conf
listen NGINX_MANAGEMENT_PORT "$NGINX_MANAGEMENT_PORT" > listen_management.conf
upstream > upstream.conf
blocked > blocked.conf
real_ip > real_ip.conf
administrators > administrators.conf
printf '%s\n' "$NGINX_CERT" > certificate.pem
printf '%s\n' "$NGINX_KEY" > key.pem
printf '%s\n' "$NGINX_CACERT" > ca.pem

unset NGINX_CERT NGINX_KEY NGINX_CACERT
exec nginx -e stderr -p "$NGINX_RUN/" -c nginx.conf
