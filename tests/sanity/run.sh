#!/usr/bin/env bash
# Run `ansible-test sanity` of the virtual environment $1 on the files of this checkout.
set -euo pipefail

bin=$(cd "$1/bin" && pwd)
version=$("$bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

# ansible-test fetches get-pip.py from a host of its own. Python brings pip, so that a package index is enough.
pip_version=$(grep -oP "pip='\K[0-9.]+" "$("$bin/python" -c '
from ansible_test._internal import python_requirements
print(python_requirements.__file__)')")
cache=~/.ansible/test/cache/get_pip_${pip_version//./_}.py
if [ ! -e "$cache" ]; then
    mkdir -p "$(dirname "$cache")"
    cp tests/sanity/get_pip.py "$cache"
fi

cd "$(bash tests/tree.sh "$1" sanity)"
PATH=$bin:$PATH exec ansible-test sanity --local --requirements --python "$version" --color no
