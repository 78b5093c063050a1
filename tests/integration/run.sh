#!/usr/bin/env bash
# Run the integration targets of ansible-test against an embedded AWS of their own. $@: targets, or all.
set -euo pipefail

bin=$PWD/.venv/bin
state=$PWD/.cache/integration/aws
embedded() {
    ansible-playbook playbooks/embedded.yml \
        -e dicoogle_embedded_dir="$state" -e dicoogle_embedded_state="$1"
}

skipped=()
if ! docker info > /dev/null 2>&1 && ! podman info > /dev/null 2>&1; then
    echo "Skipped, as no container engine answers here: ecr_image"
    skipped=(--exclude ecr_image)
    [ -z "${CI:-}" ]
fi

key() { sed -n "s/^$1 = //p" "$state/credentials"; }

trap 'embedded stopped > /dev/null' EXIT
embedded started
target=$(bash tests/tree.sh .venv integration)
cat > "$target/tests/integration/integration_config.yml" <<END
dicoogle_embedded_source: $target/embedded
dicoogle_aws:
  endpoint_url: $(cat "$state/endpoint")
  region: us-east-1
  access_key: $(key aws_access_key_id)
  secret_key: $(key aws_secret_access_key)
END
(cd "$target" && PATH=$bin:$PATH ansible-test integration --local --python default --color no "${skipped[@]}" "$@")
