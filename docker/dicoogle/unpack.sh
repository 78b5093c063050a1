#!/bin/sh
# unpack.sh CONTEXT VERSION DIRECTORY: dicoogle.jar, Plugins/ and the version of the Dicoogle release
# CONTEXT/dicoogle.zip into DIRECTORY, with the further plugins of CONTEXT/plugins/.
# Stops when versions.txt does not have the version, and when the layout is not that of the releases,
# Dicoogle_v<version>/{dicoogle.jar,Plugins/*.jar}. The names of the plugins' jars change from release
# to release.
# Writes to DIRECTORY/parts.txt what the archive brought, as sbom.sh reads it: itself, the jars, and
# what these say they are made of.
set -eu

context=$1
version=$2
directory=$3
archive=$context/dicoogle.zip

known=$(awk -v version="$version" '$1 == version' "$context/versions.txt")
if [ -z "$known" ]; then
  echo "DICOOGLE_VERSION: '$version' is not known. Known are:" >&2
  cut -d ' ' -f 1 "$context/versions.txt" >&2
  exit 1
fi

refuse() {
  echo "$archive is not laid out like a Dicoogle release: $1." >&2
  echo "It holds:" >&2
  unzip -Z1 "$archive" | head -n 20 >&2
  exit 1
}

unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
unzip -q "$archive" -d "$unpacked"

set -- "$unpacked"/Dicoogle_v*/
[ $# -eq 1 ] && [ -d "$1" ] || refuse "it must hold one folder Dicoogle_v<version>"
[ -f "$1/dicoogle.jar" ] || refuse "dicoogle.jar is missing in its folder"
release=$1
set -- "$release"/Plugins/*.jar
[ -f "$1" ] || refuse "its folder Plugins holds no jar"

mkdir -p "$directory/Plugins"
cp "$release/dicoogle.jar" "$directory/"
cp "$@" "$directory/Plugins/"
cp -r "$context/plugins/." "$directory/Plugins/"
echo "$known" > "$directory/version"

sha256() {
  sha256sum "$1" | cut -d ' ' -f 1
}

cd "$directory"
{
  echo "- dicoogle $version $(sha256 "$archive")"
  for jar in dicoogle.jar Plugins/*.jar; do
    echo "- $jar - $(sha256 "$jar")"
    { unzip -p "$jar" 'META-INF/maven/*/pom.properties' 2> /dev/null || true; } | tr -d '\r' | awk -F = '
      $1 ~ /^(groupId|artifactId|version)$/ && $2 ~ /^[A-Za-z0-9._-]+$/ { found[$1] = $2 }
      "groupId" in found && "artifactId" in found && "version" in found {
        print found["groupId"], found["artifactId"], found["version"], "-"
        split("", found)
      }'
  done
} > parts.txt
