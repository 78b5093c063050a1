# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter `dicoogle_plugins`: what further plugins mean for Dicoogle's image, and what is wrong."""

from __future__ import annotations

DOCUMENTATION = r"""
name: dicoogle_plugins
version_added: 1.0.0
author: openpacs contributors (@openpacs)
short_description: Tell what further plugins add to Dicoogle's image
description:
  - Names the files that join the build context of the image, and where they are downloaded from.
  - Tells what is wrong with the plugins before anything is built.
positional: _input
options:
  _input:
    description:
      - The plugins. Each has the key V(sha256) and either V(url) or V(path), and may have
        V(settings) and V(paths).
    type: list
    elements: dict
    required: true
  folder:
    description: Where downloads are kept.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Refuse plugins that cannot work
  ansible.builtin.assert:
    that: not plugins.problems
    fail_msg: "{{ plugins.problems | join(' ') }}"
  vars:
    plugins: "{{ wanted | openpacs.dicoogle.dicoogle_plugins(folder='~/plugins') }}"
    wanted:
      - url: https://example.org/dicomweb-1.0.jar
        sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
        paths: [/dicomweb]
"""

RETURN = r"""
_value:
  description: What the plugins mean.
  type: dict
  contains:
    problems:
      description: One sentence for each problem, with what to change; empty when all is well.
      type: list
      elements: str
    files:
      description: Files for the option C(files) of M(openpacs.dicoogle.ecr_image).
      type: list
      elements: dict
    paths:
      description: Paths of Dicoogle's web interface that the plugins add.
      type: list
      elements: str
"""

import re
import typing as t
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

JAR = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*\.jar")
SHA256 = re.compile(r"[0-9a-f]{64}")
WEB_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
RENDERED = ("luceneset.xml", "file-storage.xml")  # by the container, of its settings


def _jar_name(plugin: dict[str, t.Any]) -> str:
    return (plugin.get("path") or urlsplit(plugin.get("url") or "").path).rpartition("/")[2]


def _settings(plugin: dict[str, t.Any]) -> Path | None:
    return _local(plugin["settings"]) if plugin.get("settings") else None


def _local(path: str) -> Path:
    return Path(path).expanduser().absolute()


def _problems(plugin: dict[str, t.Any]) -> t.Iterator[str]:
    name = _jar_name(plugin)
    shown = plugin.get("url") or plugin.get("path") or "a plugin"
    if bool(plugin.get("url")) == bool(plugin.get("path")):
        yield f"{shown}: give either the url or the path of its jar."
    elif not JAR.fullmatch(name):
        yield f"{shown}: '{name}' is no name of a jar; it must end in .jar."
    if not SHA256.fullmatch(plugin["sha256"]):
        yield f"{shown}: '{plugin['sha256']}' is no SHA-256; give the 64 digits of sha256sum."
    settings = _settings(plugin)
    if settings and settings.name in RENDERED:
        yield f"{shown}: {settings.name} is made by the container; leave these settings out."
    elif settings and settings.suffix not in (".xml", ".json"):
        yield f"{shown}: no plugin reads {settings.name}; name it <plugin set>.xml or .json."
    elif settings and not settings.is_file():
        yield f"{shown}: there is no file {settings} with its settings."
    for path in plugin.get("paths") or ():
        if not WEB_PATH.fullmatch(path):
            yield f"{shown}: '{path}' is no web path; write it as, for example, /dicomweb."


def _files(plugin: dict[str, t.Any], folder: Path) -> t.Iterator[dict[str, str]]:
    name = _jar_name(plugin)
    jar = {"path": f"plugins/{name}", "sha256": plugin["sha256"]}
    if plugin.get("path"):
        yield jar | {"src": str(_local(plugin["path"]))}
    else:
        yield jar | {"src": str(folder / name), "url": plugin.get("url")}
    if settings := _settings(plugin):
        yield {"path": f"plugins/settings/{settings.name}", "src": str(settings)}


def dicoogle_plugins(plugins: list[dict[str, t.Any]], folder: str) -> dict[str, list[t.Any]]:
    """Return the `problems` of plugins, and their `files` and web `paths`."""
    files = [file for plugin in plugins for file in _files(plugin, _local(folder))]
    names = Counter(Path(file["path"]).name for file in files)
    return {
        "problems": [problem for plugin in plugins for problem in _problems(plugin)]
        + [
            f"{count} files are called {name}; one would replace the other, so rename them."
            for name, count in names.items()
            if count > 1
        ],
        "files": files,
        "paths": [path for plugin in plugins for path in plugin.get("paths") or ()],
    }


class FilterModule:
    """Gives Ansible the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"dicoogle_plugins": dicoogle_plugins}
