#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: audit_log
version_added: 1.0.0
short_description: Tell who did what with images
description:
  - Searches the log of the containers with CloudWatch Logs Insights, and tells who stored, opened
    or removed an image, or what a client did.
  - Requests at the web page carry the person, those at the management entrance the certificate.
    What comes by DICOM is joined with the certificate of its tunnel by time; where more than one
    client came within a second, all of them are named.
  - A C-FIND is not told, as its line would hold names of patients, nor who asked for a C-MOVE.
  - Insights charges for what it reads, about 0.005 USD for each gigabyte.
  - Changes nothing, so it does the same in check mode.
options:
  log_group:
    description: Name of the log group, output C(LogGroupName) of the stack.
    type: str
    required: true
  images:
    description: SOP instance UIDs of images. Only what was done with them is told.
    type: list
    elements: str
    default: []
  client:
    description:
      - A part of the name of a certificate, of an AE title, or of the identity of a person. Only
        what they did is told.
    type: str
    default: ""
  since:
    description:
      - The begin of the time to search, such as V(2026-01-31) or V(2026-01-31T08:00:00+01:00).
      - Without an offset, UTC. Empty for as long as the log is kept.
    type: str
    default: ""
  until:
    description: The end of that time. Empty for now.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - openpacs.dicoogle.attributes
  - openpacs.dicoogle.attributes.aws
author:
  - openpacs contributors (@openpacs)
"""

EXAMPLES = r"""
- name: Who touched this image?
  openpacs.dicoogle.audit_log:
    log_group: radiology-Task-1ABC-LogGroup-2DEF
    images: [1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322]
  register: touched

- name: What did this scanner do in January?
  openpacs.dicoogle.audit_log:
    log_group: radiology-Task-1ABC-LogGroup-2DEF
    client: ct-scanner-1
    since: "2026-01-01"
    until: "2026-02-01"
"""

RETURN = r"""
events:
  description: What was done, the oldest first.
  returned: success
  type: list
  elements: dict
  contains:
    time:
      description: When, in UTC.
      type: str
      sample: "2026-01-31T07:00:00.123+00:00"
    who:
      description: The person or the client, with the title that it calls itself.
      type: str
      sample: ct-scanner-1.radiology.internal, as MOD
    what:
      description: The request, or what was done.
      type: str
      sample: GET /dic2png
    image:
      description: The image, as the request names it.
      type: str
      sample: 1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322
    result:
      description: The status of HTTP or DICOM.
      type: str
      sample: "200"
table:
  description: The same, one line for each, under a line with the names of the columns.
  returned: success
  type: list
  elements: str
  sample: ["time                           who          what          result  image"]
"""

from datetime import UTC, datetime
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._audit import query, trail
from ansible_collections.openpacs.dicoogle.plugins.module_utils._audit.lines import Event
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import build_client
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import (
    ModuleError,
    reporting_failures,
)

COLUMNS = ("time", "who", "what", "result", "image")  # the image last, as its name may be long


def build_argument_spec() -> dict[str, Any]:
    """Return the options of this module."""
    return {
        "log_group": {"type": "str", "required": True},
        "images": {"type": "list", "elements": "str", "default": []},
        "client": {"type": "str", "default": ""},
        "since": {"type": "str", "default": ""},
        "until": {"type": "str", "default": ""},
    }


def seconds(option: str, text: str, without: int) -> int:
    """Return the seconds since 1970 of a time in ISO 8601, or those to take without one."""
    if not text:
        return without
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ModuleError(
            f"{option}: {text} is no time. Give one such as 2026-01-31 or "
            "2026-01-31T08:00:00+01:00."
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def span(params: dict[str, Any]) -> query.Span:
    """Return the time to search."""
    now = int(datetime.now(UTC).timestamp())
    found = query.Span(seconds("since", params["since"], 0), seconds("until", params["until"], now))
    if found.start > found.end:
        raise ModuleError(f"since: {params['since']} is later than the end of the time to search.")
    return found


def check_images(images: list[str]) -> None:
    """Refuse what is no UID, which a search would take for an expression."""
    for image in images:
        if not image or image.strip("0123456789.") or len(image) > 64:
            raise ModuleError(f"images: '{image}' is no UID: at most 64 digits and dots.")


def row(event: Event) -> dict[str, str]:
    """Return an event as the module tells it."""
    return {
        "time": event.time.isoformat(timespec="milliseconds"),
        "who": event.who,
        "what": event.what,
        "image": event.image,
        "result": event.result,
    }


def table(rows: list[dict[str, str]]) -> list[str]:
    """Return the rows as lines of columns, under their names."""
    if not rows:
        return ["The log tells of nothing that was asked for."]
    lines = [dict(zip(COLUMNS, COLUMNS, strict=True)), *rows]
    widths = {name: max(len(line[name]) for line in lines) for name in COLUMNS}
    return [
        "  ".join(line[name].ljust(widths[name]) for name in COLUMNS).rstrip() for line in lines
    ]


def main() -> None:
    """Search the log and tell what was done."""
    module = AnsibleAWSModule(argument_spec=build_argument_spec(), supports_check_mode=True)
    params = module.params
    with reporting_failures(module):
        check_images(params["images"])
        found = query.lines(
            build_client(module, "logs"),
            params["log_group"],
            span(params),
            params["images"],
            params["client"],
        )
        done = trail.selected(trail.events(found), params["images"], params["client"])
        rows = [row(event) for event in done]
        module.exit_json(changed=False, events=rows, table=table(rows))


if __name__ == "__main__":
    main()
