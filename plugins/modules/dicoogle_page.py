#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dicoogle_page
version_added: 1.0.0
short_description: Open a page of Dicoogle's web interface
description:
  - Opens a page or a picture as a browser does, and reports what it is.
  - Changes nothing, so it does the same in check mode.
options:
  path:
    description: The path, such as C(/dic2png).
    type: str
    required: true
  query:
    description: The fields of the query.
    type: dict
    default: {}
  content_type:
    description: The type that the page must have, such as V(image/png).
    type: str
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
extends_documentation_fragment:
  - openpacs.dicoogle.endpoint
  - openpacs.dicoogle.dicoogle
  - openpacs.dicoogle.attributes
author:
  - openpacs contributors (@openpacs)
"""

EXAMPLES = r"""
- name: Open the picture of an image
  openpacs.dicoogle.dicoogle_page:
    host: management.pacs.example.org
    port: 18443
    tls:
      ca_certificate: pki/ca.pem
      certificate: pki/administrator.pem
      private_key: pki/administrator.key
    path: /dic2png
    query:
      SOPInstanceUID: 1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322
    content_type: image/png
"""

RETURN = r"""
status:
  description: The HTTP status, V(200), or V(204) when there is nothing.
  returned: success, and when RV(reason) is V(status)
  type: int
  sample: 200
content_type:
  description: The type of the page.
  returned: success
  type: str
  sample: image/png
size:
  description: The length of the page in bytes.
  returned: success
  type: int
  sample: 83214
milliseconds:
  description: The time from connecting to the answer.
  returned: success
  type: float
  sample: 45.6
reason:
  description: One word for the cause; see the notes.
  returned: failure
  type: str
  sample: status
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicoogle.web import (
    Request,
    build_entrance,
    entrance_argument_spec,
    read_page,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import reporting_failures
from ansible_collections.openpacs.dicoogle.plugins.module_utils._texts import plain_text


def main() -> None:
    """Open the page and report what it is."""
    spec = {
        **entrance_argument_spec(),
        "path": {"type": "str", "required": True},
        "query": {"type": "dict", "default": {}},
        "content_type": {"type": "str"},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    params = module.params
    begin = time.monotonic()
    with reporting_failures(module):
        entrance = build_entrance(params)
        query = {
            name: plain_text(f"The field {name} of query", value)
            for name, value in params["query"].items()
        }
        request = Request("GET", params["path"], query)
        answer = read_page(entrance, request, params["content_type"])
        module.exit_json(
            changed=False,
            status=answer.status,
            content_type=answer.content_type,
            size=len(answer.body),
            milliseconds=round((time.monotonic() - begin) * 1000, 1),
        )


if __name__ == "__main__":
    main()
