#!/bin/sh
# sbom.sh NAME BASE [PARTS]: what is in this image, as CycloneDX 1.5 on standard output.
# That is what dpkg has installed, and the lines of the file PARTS: group, name, version and SHA-256
# of a part, each "-" where it has none. Their words hold nothing that JSON would have to escape.
set -eu

name=$1
base=$2
parts=${3:-/dev/null}

command -v dpkg-query > /dev/null \
  || echo "The base image has no dpkg: its packages are not listed." >&2

release() {
  sed -n "s/^$1=//p" /etc/os-release | tr -d '"'
}

{
  dpkg-query -W -f 'deb ${Package} ${Version} ${Architecture} ${db:Status-Status}\n' 2> /dev/null \
    | awk '$5 == "installed"'
  sed 's/^/part /' "$parts"
} | awk -v name="$name" -v base="$base" -v now="$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
  -v distribution="$(release ID)" -v codename="$(release VERSION_CODENAME)" '
  function component(kind, group, label, version, purl, sha256) {
    printf "%s\n{\"type\":\"%s\",\"name\":\"%s\"", comma, kind, label
    comma = ","
    if (group != "-") printf ",\"group\":\"%s\"", group
    if (version != "-") printf ",\"version\":\"%s\"", version
    if (purl != "") printf ",\"purl\":\"%s\"", purl
    if (sha256 != "-") printf ",\"hashes\":[{\"alg\":\"SHA-256\",\"content\":\"%s\"}]", sha256
    printf "}"
  }
  function encoded(version) {
    gsub(/[+]/, "%2B", version)
    gsub(/:/, "%3A", version)
    return version
  }
  BEGIN {
    printf "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,"
    printf "\"metadata\":{\"timestamp\":\"%s\",", now
    printf "\"component\":{\"type\":\"container\",\"name\":\"%s\"},", name
    printf "\"properties\":[{\"name\":\"openpacs:base\",\"value\":\"%s\"}]},", base
    printf "\"components\":["
  }
  $1 == "deb" {
    purl = "pkg:deb/" distribution "/" encoded($2) "@" encoded($3) "?arch=" $4 "&distro=" codename
    component("library", "-", $2, $3, purl, "-")
  }
  $1 == "part" && $2 == "-" { component("file", $2, $3, $4, "", $5) }
  $1 == "part" && $2 != "-" {
    component("library", $2, $3, $4, "pkg:maven/" $2 "/" $3 "@" encoded($4), $5)
  }
  END { print "\n]}" }'
