#!/usr/bin/env bash
# Copy this checkout to where ansible-test wants a collection, beside those it uses, and print the path.
# $1: the virtual environment, $2: a name for the copy.
set -euo pipefail

tree=$PWD/.cache/$2/$(basename "$1")/ansible_collections
target=$tree/openpacs/dicoogle
site=$("$1/bin/python" -c 'import ansible_collections; print(list(ansible_collections.__path__)[0])')

rm -rf "$tree"
mkdir -p "$target"
git ls-files -z | tar --null -T - -cf - | tar -xf - -C "$target"
git init --quiet "$target"  # so that ansible-test does not take the ignored folder above for its own
ln -s "$site/amazon" "$site/community" "$tree/"
echo "$target"
