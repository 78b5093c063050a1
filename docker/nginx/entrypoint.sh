#!/bin/sh
# Checks the settings, writes them and the certificates where nginx looks, and becomes entrances.sh,
# whose environment no longer has the key.
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
    || refuse "$1: '$2' is not a valid port: a number from 1 to 65535."
  echo "listen $2 ssl;"
}

# upstream NAME ADDRESS
upstream() {
  matches "$2" '[A-Za-z0-9][A-Za-z0-9.-]*:[1-9][0-9]{0,4}' \
    || refuse "$1: '$2' is not of the form host:port."
  echo "server $2;"
}

# A path of a plugin opens everything below it, too.
plugin_paths() {
  items "$NGINX_PLUGIN_PATHS" | while IFS= read -r path; do
    matches "$path" '(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+' \
      || refuse "NGINX_PLUGIN_PATHS: '$path' is not of the form /path."
    ! matches "$path" '/(index|indexer|legacy|logger|management|ml|plugins|settings|user)(/.*)?' \
      || refuse "NGINX_PLUGIN_PATHS: '$path' is Dicoogle's own, for administrators only."
    echo "\"~^\S+ $(echo "$path" | sed 's/[.]/[.]/g')([/?]|\$)\" 1;"
  done
}

administrators() {
  [ -n "$(items "${NGINX_ADMINISTRATORS-}")" ] \
    || refuse "NGINX_ADMINISTRATORS must hold at least one common name of a client certificate."
  items "$NGINX_ADMINISTRATORS" | while IFS= read -r name; do
    matches "$name" '[A-Za-z0-9][A-Za-z0-9._-]{0,63}' \
      || refuse "NGINX_ADMINISTRATORS: '$name' is not a valid common name: letters, digits, '.', '_' and '-'."
    echo "\"~^$(echo "$name" | sed -e 's/[.]/[.]/g')\$\" 0;"
  done
}

real_ip() {
  items "$NGINX_REAL_IP_FROM" | while IFS= read -r network; do
    matches "$network" '[0-9]+([.][0-9]+){3}(/[0-9]+)?' \
      || refuse "NGINX_REAL_IP_FROM: '$network' is not an IPv4 network."
    echo "set_real_ip_from $network;"
  done
  echo "real_ip_header X-Forwarded-For;"
}

check_pem NGINX_CERTIFICATE "${NGINX_CERTIFICATE-}" CERTIFICATE
check_pem NGINX_PRIVATE_KEY "${NGINX_PRIVATE_KEY-}" 'PRIVATE KEY'
check_pem NGINX_CA_BUNDLE "${NGINX_CA_BUNDLE-}" CERTIFICATE
[ "$NGINX_MANAGEMENT_PORT" != "$NGINX_LISTEN_PORT" ] \
  || refuse "NGINX_MANAGEMENT_PORT must differ from NGINX_LISTEN_PORT ('$NGINX_LISTEN_PORT')."
[ -w "$NGINX_RUN" ] || refuse "$NGINX_RUN is not writable for user $(id -u): mount a volume there."

cd "$NGINX_RUN"
mkdir -p temp
cp "$NGINX_CONFIGURATION"/*.conf .
listen NGINX_LISTEN_PORT "$NGINX_LISTEN_PORT" > listen.conf
listen NGINX_MANAGEMENT_PORT "$NGINX_MANAGEMENT_PORT" > listen_management.conf
upstream NGINX_UPSTREAM "$NGINX_UPSTREAM" > upstream.conf
upstream NGINX_KEEPER "$NGINX_KEEPER" > keeper.conf
plugin_paths > plugin_paths.conf
real_ip > real_ip.conf
administrators > administrators.conf
printf '%s\n' "$NGINX_CERTIFICATE" > certificate.pem
printf '%s\n' "$NGINX_PRIVATE_KEY" > private_key.pem
printf '%s\n' "$NGINX_CA_BUNDLE" > ca_bundle.pem

unset NGINX_CERTIFICATE NGINX_PRIVATE_KEY NGINX_CA_BUNDLE
exec /bin/sh "$NGINX_CONFIGURATION/entrances.sh"
