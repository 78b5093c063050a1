# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter `image_bases`: what each container image is built from, and what is wrong with it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: image_bases
version_added: 1.0.0
author: openpacs contributors (@openpacs)
short_description: Tell what each container image is built from
description:
  - The base of an image is the one that is given or, without it, the one that its Dockerfile names.
  - Tells which bases are unknown, or can become others under the same name.
positional: _input
options:
  _input:
    description: Texts of the Dockerfiles by image. Each has a line C(ARG BASE=<base>).
    type: dict
    required: true
  given:
    description: Bases that replace those of the Dockerfiles, by image.
    type: dict
    required: true
  allow_unpinned:
    description: Whether a base may be named by a tag alone.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Check the base images
  ansible.builtin.assert:
    that: bases.problems | length == 0
    fail_msg: "{{ bases.problems | join(' ') }}"
  vars:
    bases: "{{ dockerfiles | openpacs.dicoogle.image_bases(given={'nginx': 'nginx:1.30.4'}) }}"
    dockerfiles:
      nginx: "{{ lookup('ansible.builtin.file', 'docker/nginx/Dockerfile') }}"
"""

RETURN = r"""
_value:
  description: The bases.
  type: dict
  contains:
    bases:
      description: The base of each image.
      type: dict
      sample: {nginx: "nginx:1.30.4"}
    problems:
      description: One sentence for each problem, with what to change; empty when all is well.
      type: list
      elements: str
"""

import re
import typing as t

DECLARATION = re.compile(r"^ARG BASE=(\S+)$", re.MULTILINE)
PINNED = re.compile(r".+@sha256:[0-9a-f]{64}")


def image_bases(
    dockerfiles: t.Mapping[str, str], given: t.Mapping[str, str], allow_unpinned: bool = False
) -> dict[str, t.Any]:
    """Return the `bases` of all images and their `problems`."""
    bases = {name: given.get(name) or _declared(text) for name, text in dockerfiles.items()}
    problems = [
        f"images_bases names {name}. The images are {', '.join(dockerfiles)}."
        for name in given
        if name not in dockerfiles
    ]
    unpinned = {name: base for name, base in bases.items() if not PINNED.fullmatch(base)}
    if unpinned and not allow_unpinned:
        problems.append(_unpinned(unpinned))
    return {"bases": bases, "problems": problems}


def _declared(dockerfile: str) -> str:
    return DECLARATION.findall(dockerfile)[0]


def _unpinned(bases: t.Mapping[str, str]) -> str:
    tags = {name: base.partition("@")[0] for name, base in bases.items()}
    wanted = {name: f"{tag}@sha256:..." for name, tag in tags.items()}
    return (
        f"No digest says which {', '.join(tags.values())} is meant, so that the registry decides "
        f"what you run. Set images_bases to {wanted} with the digests that this prints, for each: "
        f"docker buildx imagetools inspect {next(iter(tags.values()))}"
    )


class FilterModule:
    """Gives Ansible the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"image_bases": image_bases}
