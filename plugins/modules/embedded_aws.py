#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: embedded_aws
version_added: 1.0.0
short_description: Start, stop or reset an AWS on the loopback interface
description:
  - Runs the embedded AWS of this collection as a process of its own on the host, for a first try,
    for tests and for continuous integration. No AWS account is needed.
  - It listens on one port of 127.0.0.1, and answers only programs that have its access key. The key
    is made at random at the first start, and its secret is never sent. Web pages get no answer.
  - The tasks of its ECS services run as containers when the module runs as root on Linux and
    Docker answers at a socket of the host. The listeners of load balancers can then be reached at
    addresses of the loopback network, which C(/_openpacs/names) tells. Otherwise the services say
    in their events why no task runs.
  - The first start installs its pinned requirements into a virtual environment below O(path),
    which needs a package index and takes about 15 seconds. Later starts take less than a second.
  - Its state survives O(state=stopped) and a restart. It is also saved every second in which
    something has changed and no stack operation runs, so a killed server loses little. What a
    stack operation has done is saved when the operation has ended.
options:
  state:
    description:
      - V(started) starts the server unless it runs with the same source and port; after a change
        of these it is restarted.
      - V(stopped) gives running stack operations five seconds to end, removes the containers of
        tasks, saves the state and ends the server. The next start starts the tasks again, on the
        files of their file systems.
      - V(reset) forgets everything in this AWS. A running server runs on, a stopped one stays
        stopped.
    type: str
    choices: [started, stopped, reset]
    default: started
  path:
    description:
      - Folder for the virtual environment, the access key, the state, the logs and the remembered
        port. Only its owner gets into it.
      - Each folder is an AWS of its own.
    type: path
    required: true
  source:
    description: The folder C(embedded) of this collection.
    type: path
    required: true
  port:
    description:
      - The port on 127.0.0.1 to listen on.
      - Without it, a free one is chosen on the first start and kept for the following ones.
    type: int
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
extends_documentation_fragment:
  - openpacs.dicoogle.attributes
notes:
  - The file C(endpoint) in O(path) contains the URL and the file C(credentials) the access key, for
    inventories to look up. SDKs and the AWS CLI read the latter as E(AWS_SHARED_CREDENTIALS_FILE).
  - C(/_openpacs/names) and the registry of ECR take the password that ECR's GetAuthorizationToken
    tells, too.
author:
  - openpacs contributors (@openpacs)
"""

EXAMPLES = r"""
- name: Start the embedded AWS
  openpacs.dicoogle.embedded_aws:
    path: "{{ lookup('env', 'HOME') }}/.openpacs/embedded"
    source: "{{ playbook_dir }}/../embedded"
  register: embedded_aws
  delegate_to: localhost

- name: Ask it who we are
  amazon.aws.aws_caller_info:
    endpoint_url: "{{ embedded_aws.endpoint_url }}"
    region: "{{ embedded_aws.region }}"
  environment:
    AWS_SHARED_CREDENTIALS_FILE: "{{ embedded_aws.credentials }}"

- name: Stop it, and keep what has been deployed
  openpacs.dicoogle.embedded_aws:
    state: stopped
    path: "{{ lookup('env', 'HOME') }}/.openpacs/embedded"
    source: "{{ playbook_dir }}/../embedded"
"""

RETURN = r"""
endpoint_url:
  description: The URL to give to modules and SDKs; empty before the first start.
  returned: always
  type: str
  sample: http://127.0.0.1:40321
port:
  description: The port of the last start; null before the first.
  returned: always
  type: int
  sample: 40321
pid:
  description: The process id of the server; null when it does not run.
  returned: always
  type: int
  sample: 4711
credentials:
  description:
    - The file that holds the access key, in the section C(default). The first start makes it.
  returned: always
  type: str
  sample: /home/me/.openpacs/embedded/credentials
region:
  description: The region that resources are in when a request names none.
  returned: always
  type: str
  sample: us-east-1
access_log:
  description:
    - A file with one JSON object per line for each call to the API, with the members C(time),
      C(method), C(service), C(action), C(caller), C(user_agent), C(status), C(duration) and
      C(internal).
  returned: always
  type: str
  sample: /home/me/.openpacs/embedded/data/access.log
state:
  description: Whether the server runs now, V(started) or V(stopped).
  returned: always
  type: str
  sample: started
actions:
  description: What was done, or would be done in check mode, in this order.
  returned: always
  type: list
  elements: str
  sample: [install, start]
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded.layout import Layout
from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded.lifecycle import (
    Desired,
    Observed,
    Outcome,
    reach,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded.server import (
    REGION,
    endpoint_url,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import (
    ModuleError,
    reporting_failures,
    using_files,
)


def report(outcome: Outcome, layout: Layout) -> dict[str, Any]:
    """Return what the module returns."""
    after = outcome.after
    return {
        "changed": bool(outcome.actions),
        "actions": list(outcome.actions),
        "endpoint_url": endpoint_url(after.port) if after.port else "",
        "port": after.port,
        "pid": after.pid,
        "credentials": str(layout.credentials),
        "region": REGION,
        "access_log": str(layout.access_log),
        "state": _state(after),
        "diff": _diff(outcome),
    }


def _state(observed: Observed) -> str:
    return "started" if observed.running else "stopped"


def _diff(outcome: Outcome) -> dict[str, Any]:
    running, empty = outcome.before.running, outcome.before.empty
    for action in outcome.actions:
        running = {"start": True, "stop": False}.get(action, running)
        empty = empty or action == "clear"
    before = {"state": _state(outcome.before), "empty": outcome.before.empty}
    after = {"state": "started" if running else "stopped", "empty": empty}
    return {"before": before, "after": {**after, "done": list(outcome.actions)}}


def source(params: Mapping[str, Any]) -> Path:
    """Return the folder with the embedded AWS, after a look whether it is that."""
    with using_files(f"use the folder source={params['source']}"):
        found = Path(params["source"]).resolve()
        is_embedded = (found / "openpacs_embedded").is_dir()
    if not is_embedded:
        raise ModuleError(
            f"source={found} is not the folder 'embedded' of openpacs.dicoogle: it contains no "
            "openpacs_embedded"
        )
    return found


def main() -> None:
    """Bring the embedded AWS into the desired state and report on it."""
    module = AnsibleModule(
        argument_spec={
            "state": {
                "type": "str",
                "choices": ["started", "stopped", "reset"],
                "default": "started",
            },
            "path": {"type": "path", "required": True},
            "source": {"type": "path", "required": True},
            "port": {"type": "int"},
        },
        supports_check_mode=True,
    )
    with reporting_failures(module):
        found = source(module.params)
        with using_files(f"use the folder path={module.params['path']}"):
            layout = Layout.at(Path(module.params["path"]).resolve())
            desired = Desired(module.params["state"], found, module.params["port"])
            try:
                outcome = reach(desired, layout, module.check_mode)
            except ModuleError as error:
                raise ModuleError(f"embedded AWS in {layout.path}: {error}") from error
        module.exit_json(**report(outcome, layout))


if __name__ == "__main__":
    main()
