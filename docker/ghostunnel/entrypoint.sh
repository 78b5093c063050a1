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

check_pem GHOSTUNNEL_CERTIFICATE "${GHOSTUNNEL_CERTIFICATE-}" CERTIFICATE
check_pem GHOSTUNNEL_PRIVATE_KEY "${GHOSTUNNEL_PRIVATE_KEY-}" 'PRIVATE KEY'
check_pem GHOSTUNNEL_CA_BUNDLE "${GHOSTUNNEL_CA_BUNDLE-}" CERTIFICATE
[ -w "$GHOSTUNNEL_RUN" ] \
  || refuse "$GHOSTUNNEL_RUN is not writable for user $(id -u): mount a volume there."

printf '%s\n' "$GHOSTUNNEL_CERTIFICATE" > "$GHOSTUNNEL_RUN/certificate.pem"
printf '%s\n' "$GHOSTUNNEL_PRIVATE_KEY" > "$GHOSTUNNEL_RUN/private_key.pem"
printf '%s\n' "$GHOSTUNNEL_CA_BUNDLE" > "$GHOSTUNNEL_RUN/ca_bundle.pem"

unset GHOSTUNNEL_CERTIFICATE GHOSTUNNEL_PRIVATE_KEY GHOSTUNNEL_CA_BUNDLE
export CERT_PATH="$GHOSTUNNEL_RUN/certificate.pem"
export KEY_PATH="$GHOSTUNNEL_RUN/private_key.pem"
export CACERT_PATH="$GHOSTUNNEL_RUN/ca_bundle.pem"
exec ghostunnel "$@"
