#!/bin/sh
# Writes the certificate where Ghostunnel looks for it, and becomes Ghostunnel.
set -eu
umask 077

refuse() {
  echo "ghostunnel: $*" >&2
  exit 64
}

check_pem() {
  case $2 in
    *-----BEGIN\ *"$3"-----*) ;;
    *) refuse "$1 must hold a PEM $3." ;;
  esac
}

check_pem TLS_CERT "${TLS_CERT-}" CERTIFICATE
check_pem TLS_KEY "${TLS_KEY-}" 'PRIVATE KEY'
check_pem TLS_CACERT "${TLS_CACERT-}" CERTIFICATE
[ -w "$GHOSTUNNEL_RUN" ] \
  || refuse "$GHOSTUNNEL_RUN is not writable for user $(id -u): mount a volume there."

printf '%s\n' "$TLS_CERT" > "$GHOSTUNNEL_RUN/tls.crt"
printf '%s\n' "$TLS_KEY" > "$GHOSTUNNEL_RUN/tls.key"
printf '%s\n' "$TLS_CACERT" > "$GHOSTUNNEL_RUN/ca.crt"

unset TLS_CERT TLS_KEY TLS_CACERT
export CERT_PATH="$GHOSTUNNEL_RUN/tls.crt"
export KEY_PATH="$GHOSTUNNEL_RUN/tls.key"
export CACERT_PATH="$GHOSTUNNEL_RUN/ca.crt"
exec ghostunnel "$@"
