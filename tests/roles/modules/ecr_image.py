# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A stand-in for the module of the same name: keeps build contexts in folders instead of in ECR.

An image's repository is a folder on this machine, in which each tag has the context that it was
built from. Tags and contexts are the module's own.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._images.image import (
    read_image,
    write_context,
)


def main() -> None:
    file = {name: {"type": "str"} for name in ("path", "sha256", "url")} | {"src": {"type": "path"}}
    image = {
        "name": {"type": "str"},
        "repository": {"type": "str"},
        "context": {"type": "path"},
        "dockerfile": {"type": "str", "default": "Dockerfile"},
        "platform": {"type": "str"},
        "build_args": {"type": "dict"},
        "files": {"type": "list", "elements": "dict", "options": file},
    }
    module = AnsibleModule(
        argument_spec={
            "images": {"type": "list", "elements": "dict", "options": image},
            "network": {"type": "str"},
            "rebuild_after_days": {"type": "int"},
            "waivers": {"type": "list", "elements": "dict"},
            "without_engine": {"type": "str"},
        },
        supports_check_mode=True,
    )
    results = {}
    try:
        for wanted in map(read_image, module.params["images"]):
            context = Path(wanted.repository.given) / wanted.content
            missing = not context.exists()
            if missing and not module.check_mode:
                with tempfile.TemporaryDirectory() as folder:
                    write_context(wanted, Path(folder))
                    shutil.copytree(folder, context)
            uri = f"{wanted.repository.given}:{wanted.content}"
            results[wanted.name] = {"uri": uri, "digest": wanted.content, "pushed": missing}
    except ModuleError as error:
        module.fail_json(**error.result())
    module.exit_json(changed=any(each["pushed"] for each in results.values()), images=results)


if __name__ == "__main__":
    main()
