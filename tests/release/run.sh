#!/usr/bin/env bash
# Build the collection, install the tarball into an empty folder, and deploy from it with the
# ansible-core of the virtual environment $1. Nothing of the checkout is used but the tarball.
set -euo pipefail

bin=$(cd "$1/bin" && pwd)
work=$(mktemp -d)
touch "$work/ansible.cfg"
export ANSIBLE_COLLECTIONS_PATH=$work/collections ANSIBLE_CONFIG=$work/ansible.cfg ANSIBLE_HOME=$work/ansible
# No container engine answers: this is about the stacks, and builds no images.
export DOCKER_HOST=unix:///nonexistent/docker.sock CONTAINER_HOST=unix:///nonexistent/podman.sock
playbook() {
    local name=$1
    shift
    "$bin/ansible-playbook" -i "$work/collections/ansible_collections/openpacs/dicoogle/inventory/embedded" \
        "openpacs.dicoogle.$name" -e dicoogle_embedded_dir="$work/aws" "$@"
}

"$bin/ansible-galaxy" collection build --output-path "$work" .
foreign=$(tar --list --file "$work"/openpacs-dicoogle-*.tar.gz | grep -v '/$' \
    | grep --line-regexp --fixed-strings --invert-match --file <(git ls-files; echo FILES.json; echo MANIFEST.json) || true)
[ -z "$foreign" ] || { echo "The tarball holds what is not of the project: $foreign"; exit 1; }
"$bin/ansible-galaxy" collection install --no-deps -p "$work/collections" "$work"/openpacs-dicoogle-*.tar.gz
cd "$work"

trap 'playbook embedded -e dicoogle_embedded_state=stopped > /dev/null; rm -rf "$work"' EXIT
playbook embedded
playbook site
playbook site | tee "$work/second"
grep -Eq 'localhost .* changed=0 .* failed=0' "$work/second"
playbook outputs
playbook destroy -e dicoogle_environment=demo
