# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.openpacs.dicoogle.plugins.filter.image_bases import image_bases

DIGEST = "@sha256:" + "0" * 64
DOCKERFILES = {
    "nginx": "# A comment.\nARG BASE=nginx:1.30.4\nFROM ${BASE}\nARG BASE\n",
    "ghostunnel": f"ARG BASE=ghostunnel:1.11{DIGEST}\n",
}


def test_without_a_given_base_it_is_that_of_the_dockerfile():
    assert image_bases(DOCKERFILES, {"nginx": f"mirror/nginx:1{DIGEST}"}) == {
        "bases": {"nginx": f"mirror/nginx:1{DIGEST}", "ghostunnel": f"ghostunnel:1.11{DIGEST}"},
        "problems": [],
    }


@pytest.mark.parametrize(
    ("base", "tag"),
    [
        ("nginx", "nginx"),
        ("nginx:1", "nginx:1"),
        (f"nginx{DIGEST}0", "nginx"),
        (f"nginx{DIGEST}\n", "nginx"),
        ("nginx@sha256:0", "nginx"),
    ],
)
def test_a_base_without_a_whole_digest_is_a_problem_unless_allowed(base, tag):
    (problem,) = image_bases(DOCKERFILES, {"nginx": base})["problems"]
    assert f"Set images_bases to {{'nginx': '{tag}@sha256:...'}}" in problem
    assert problem.endswith(f"docker buildx imagetools inspect {tag}")
    assert image_bases(DOCKERFILES, {"nginx": base}, allow_unpinned=True)["problems"] == []


def test_a_base_for_no_image_is_a_problem():
    given = {"nginx": f"nginx{DIGEST}", "ngnix": f"nginx{DIGEST}"}
    (problem,) = image_bases(DOCKERFILES, given)["problems"]
    assert problem == "images_bases names ngnix. The images are nginx, ghostunnel."
