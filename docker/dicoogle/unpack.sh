#!/bin/sh
# unpack.sh ARCHIVE DIRECTORY: dicoogle.jar and Plugins/ of a Dicoogle release into DIRECTORY.
# Looks for the layout of the releases, Dicoogle_v<version>/{dicoogle.jar,Plugins/*.jar}, and stops
# when it is another one. The names of the plugins' jars change from release to release.
set -eu

archive=$1
directory=$2

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
