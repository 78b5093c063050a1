# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How Sphinx builds the site from the pages that docs/pages.py and antsibull-docs write."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

GALAXY = yaml.safe_load((Path(__file__).parents[1] / "galaxy.yml").read_text())
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest"
ANSIBLE_PAGES = {
    "action_plugins": "plugins/action",
    "ansible_configuration_settings": "reference_appendices/config",
    "callback_plugins": "plugins/callback",
    "common_return_values": "reference_appendices/common_return_values",
}
PLUGIN = re.compile(r"ansible_collections\.(\w+)\.(\w+)\.(\w+_[a-z]+)")

project = "openpacs.dicoogle"
version = release = GALAXY["version"]
title = html_title = html_short_title = "openpacs.dicoogle"

extensions = ["myst_parser", "sphinx_antsibull_ext"]
myst_heading_anchors = 3
nitpicky = True
highlight_language = "YAML+Jinja"
pygments_style = "ansible"

html_theme = "sphinx_ansible_theme"
html_theme_options = {"topbar_links": {}, "documentation_home_url": "index.html"}
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_use_index = False


def link_to_ansible(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.TextElement
) -> nodes.reference | None:
    """Link what Ansible documents to its site, without fetching that site's index."""
    target = str(node["reftarget"])
    if node["reftype"] == "envvar":
        page = f"{ANSIBLE_PAGES['ansible_configuration_settings']}.html#envvar-{target}"
    elif plugin := PLUGIN.fullmatch(target):
        page = f"collections/{'/'.join(plugin.groups())}.html"
    elif target in ANSIBLE_PAGES:
        page = f"{ANSIBLE_PAGES[target]}.html"
    else:
        return None
    return nodes.reference("", "", text, refuri=f"{ANSIBLE}/{page}", internal=False)


def setup(app: Sphinx) -> None:
    """Register the links to Ansible's site."""
    app.connect("missing-reference", link_to_ansible)
