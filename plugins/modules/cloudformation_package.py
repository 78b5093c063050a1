#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudformation_package
version_added: 1.0.0
short_description: Upload a CloudFormation template with everything that it refers to
description:
  - Uploads a root template, its nested templates at any depth, and the code of its Lambda functions
    to an S3 bucket, and returns the URL to create a stack from.
  - In the templates, C(TemplateURL) of an C(AWS::CloudFormation::Stack) is the path of a template,
    and C(Code) of an C(AWS::Lambda::Function) the path of a folder, both relative to the template
    that names them. In the uploaded copy they are replaced by the URL, and by the bucket and key of
    the folder's archive. Nothing else changes; comments and layout stay.
  - URLs and intrinsic functions in these places are left alone.
  - A key holds the SHA-256 of the object's content, and a parent's content holds the keys of its
    children. The same input always gives the same URL, and one call tells that nothing has to be
    uploaded.
  - Folders become archives that are the same byte by byte on every machine. C(__pycache__) is left
    out, a symbolic link is refused.
options:
  template:
    description: The root template, in YAML or JSON.
    type: path
    required: true
  bucket:
    description:
      - The bucket to upload to. It must exist, except in check mode.
    type: str
    required: true
  prefix:
    description: What the keys start with.
    type: str
    default: cloudformation
  kms_key_id:
    description:
      - ID, alias or ARN of the KMS key to encrypt the objects with.
      - Without it the bucket's default encryption applies.
    type: str
requirements:
  - PyYAML
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
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
- name: Upload the templates
  openpacs.dicoogle.cloudformation_package:
    template: cloudformation/root.template
    bucket: dicoogle-artifacts
    kms_key_id: alias/dicoogle
    region: eu-west-1
  register: package

- name: Preview the stack
  openpacs.dicoogle.cloudformation_stack:
    name: dicoogle
    template_url: "{{ package.template_url }}"
  check_mode: true
"""

RETURN = r"""
template_url:
  description: The URL of the root template.
  returned: success
  type: str
  sample: https://dicoogle-artifacts.s3.eu-west-1.amazonaws.com/cloudformation/9f86d0/root.yaml
template_body:
  description: The root template as uploaded, with its references replaced.
  returned: success
  type: str
digest:
  description: SHA-256 of RV(template_body). It differs when anything in the tree differs.
  returned: success
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
objects:
  description: Everything that the stack needs, children before their parents, the root last.
  returned: success
  type: list
  elements: dict
  contains:
    key:
      description: The key of the object.
      type: str
      sample: cloudformation/9f86d0/network.yaml
    source:
      description: The file or folder that it comes from.
      type: str
    uploaded:
      description: Whether it was uploaded, or would be in check mode.
      type: bool
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import (
    build_client,
    dns_suffix,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import template
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation.package import (
    Artifact,
    Destination,
    Package,
    missing_artifacts,
    read_package,
    upload_artifacts,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import reporting_failures


def build_argument_spec() -> dict[str, Any]:
    """Return the options of this module."""
    return {
        "template": {"type": "path", "required": True},
        "bucket": {"type": "str", "required": True},
        "prefix": {"type": "str", "default": "cloudformation"},
        "kms_key_id": {"type": "str"},
    }


def build_destination(client: Any, params: dict[str, Any]) -> Destination:
    """Return where to upload to, in the client's region and partition."""
    return Destination(
        bucket=params["bucket"],
        prefix=params["prefix"],
        region=client.meta.region_name,
        dns_suffix=dns_suffix(client.meta.partition),
    )


def report(package: Package, missing: list[Artifact]) -> dict[str, Any]:
    """Return the module's result."""
    keys = [artifact.key for artifact in package.artifacts]
    gone = {artifact.key for artifact in missing}
    return {
        "changed": bool(missing),
        "template_url": package.url,
        "template_body": package.root.body.decode(),
        "digest": package.root.digest,
        "objects": [
            {"key": artifact.key, "source": str(artifact.source), "uploaded": artifact.key in gone}
            for artifact in package.artifacts
        ],
        "diff": {
            "before": "".join(f"{key}\n" for key in keys if key not in gone),
            "after": "".join(f"{key}\n" for key in keys),
        },
    }


def main() -> None:
    """Read the templates, find out what S3 lacks, upload it."""
    module = AnsibleAWSModule(argument_spec=build_argument_spec(), supports_check_mode=True)
    if not template.HAS_YAML:
        module.fail_json(msg=missing_required_lib("PyYAML"))
    with reporting_failures(module):
        client = build_client(module, "s3")
        package = read_package(
            Path(module.params["template"]), build_destination(client, module.params)
        )
        missing = missing_artifacts(client, package)
        if not module.check_mode:
            upload_artifacts(client, module.params["bucket"], missing, module.params["kms_key_id"])
        module.exit_json(**report(package, missing))


if __name__ == "__main__":
    main()
