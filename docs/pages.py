# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write the pages of the site that come from other files of this repository.

    python docs/pages.py build/docs/source

Pages are copied from Markdown, or made from playbooks, templates and docs/proofs.yml, so that no
default, alarm or test is written down twice. antsibull-docs adds the pages of roles and plugins.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml
from cfnlint.decode.cfn_yaml import load

REPOSITORY = Path(__file__).parents[1]
GITHUB = yaml.safe_load((REPOSITORY / "galaxy.yml").read_text())["repository"]
LINK = re.compile(r"\]\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)")
MADE_FROM = {"proofs.md": "docs/proofs.yml"}
ROLE_TASKS = ("ansible.builtin.import_role", "ansible.builtin.include_role")


def markdown_pages() -> dict[str, str]:
    """Return the Markdown files of the repository that become pages, by their place in the site."""
    pages = {f"{path.stem}.md": f"docs/{path.name}" for path in REPOSITORY.glob("docs/*.md")}
    pages |= {
        f"roles/{path.parent.name}.md": f"roles/{path.parent.name}/README.md"
        for path in REPOSITORY.glob("roles/*/README.md")
    }
    return pages | {
        "contributing.md": "CONTRIBUTING.md",
        "docker.md": "docker/README.md",
        "security.md": "SECURITY.md",
    }


def place_in_site(source: str, page: str, target: str, pages: dict[str, str]) -> str:
    """Return a link of a Markdown file as the site needs it.

    Pages made here, such as `alarms.md`, keep their link. Other files are shown by GitHub.
    """
    path = os.path.normpath(os.path.join(os.path.dirname(source), target))
    here = os.path.dirname(page) or "."
    for place, origin in (pages | MADE_FROM).items():
        if origin == path:
            return os.path.relpath(place, here)
    if path.startswith("docs/"):
        return os.path.relpath(path.removeprefix("docs/"), here)
    if not (REPOSITORY / path).exists():
        raise SystemExit(f"{source} links to {target}, which does not exist.")
    return f"{GITHUB}/blob/main/{path}"


def linked(source: str, page: str, pages: dict[str, str]) -> str:
    """Return a Markdown file with links that work in the site."""
    text = (REPOSITORY / source).read_text()
    return LINK.sub(
        lambda found: f"]({place_in_site(source, page, found[1], pages)}{found[2] or ''})", text
    )


def plain(text: str) -> str:
    """Return a description as Markdown that shows each character of it."""
    return re.sub(r"([<*\\[])", r"\\\1", text.strip())


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines]


def roles_of(play: dict[str, Any]) -> list[str]:
    """Return the roles that a play calls, in their order, each once."""
    called = [
        task[key]["name"] for task in play.get("tasks", []) for key in ROLE_TASKS if key in task
    ]
    return list(dict.fromkeys(name.removeprefix("openpacs.dicoogle.") for name in called))


def head_comment(text: str) -> list[str]:
    """Return what a file says about itself above its first line of YAML."""
    lines = [line for line in text.splitlines() if line != "---"]
    above = lines[: next(n for n, line in enumerate(lines) if not line.startswith("#"))]
    return [line.removeprefix("#").strip() for line in above]


def playbook_page(path: Path, proof: dict[str, str]) -> str:
    """Return the page of one playbook."""
    text = path.read_text()
    (play,) = yaml.safe_load(text)
    variables = sorted(set(re.findall(r"\bdicoogle_[a-z_]+", text)))
    roles = roles_of(play)
    lines = [f"# {path.stem}", "", f"{play['name']}.", ""]
    lines += ["```bash", f"ansible-playbook openpacs.dicoogle.{path.stem} -e @hospital.yml", "```"]
    lines += ["", *head_comment(text), ""]
    if "ansible.builtin.import_playbook" in play:
        lines += [f"Runs the playbook `{play['ansible.builtin.import_playbook']}`.", ""]
    if roles:
        lines += ["Roles that it calls, in this order:", ""]
        lines += [f"1. [{role}](../roles/{role}.md)" for role in roles] + [""]
    if variables:
        named = ", ".join(f"`{name}`" for name in variables)
        lines += [f"Variables that it reads itself: {named}.", ""]
    return "\n".join([*lines, f"Proved by: {proof_text(proof)}", ""])


def proof_text(proof: dict[str, str]) -> str:
    """Return where something is proved, or what is proved in its place."""
    if "tests" in proof:
        return f"[{proof['tests']}]({GITHUB}/blob/main/{proof['tests']})"
    return f"nothing. {proof['instead']}"


def playbook_pages(proofs: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return a page for each playbook, and their index."""
    pages = {
        f"playbooks/{path.stem}.md": playbook_page(path, proofs[path.stem])
        for path in sorted(REPOSITORY.glob("playbooks/*.yml"))
    }
    entries = [Path(page).stem for page in pages]
    index = ["# Playbooks", "", "```{toctree}", ":maxdepth: 1", "", *entries, "```", ""]
    return pages | {"playbooks/index.md": "\n".join(index)}


def role_index(pages: dict[str, str]) -> str:
    """Return the page that lists the roles, each with the page of its variables."""
    roles = sorted(Path(page).stem for page in pages if page.startswith("roles/"))
    rows = [[f"[{name}]({name}.md)", f"[{name}](../collection/{name}_role.rst)"] for name in roles]
    return "\n".join(
        [
            *("# Roles", "", *table(["what it does", "its variables"], rows), ""),
            *("```{toctree}", ":hidden:", "", *roles, "```", ""),
        ]
    )


def alarm_page() -> str:
    """Return the page of the alarms, from the template that makes them."""
    template = load(str(REPOSITORY / "cloudformation/monitoring.template"))
    rows = [
        [f"`{name}`", plain(resource["Properties"]["AlarmDescription"])]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    ]
    return "\n".join(
        [
            *("# Alarms", "", "Each goes to one topic, and to `AlarmEmail` when it is set.", ""),
            *(*table(["alarm", "what it means and what to do"], rows), ""),
        ]
    )


def parameter_page() -> str:
    """Return the page of the root template's parameters, grouped as in the console, and outputs."""
    template = load(str(REPOSITORY / "cloudformation/root.template"))
    lines = [
        *("# Parameters and outputs of the stack", ""),
        "Give any of them in `stack_parameters`. Those that a role fills in are refused there.",
    ]
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        declared = {name: template["Parameters"][name] for name in group["Parameters"]}
        rows = [
            [f"`{name}`", default_of(parameter), plain(parameter["Description"])]
            for name, parameter in declared.items()
        ]
        lines += ["", f"## {group['Label']['default']}", ""]
        lines += table(["parameter", "default", "what it is"], rows)
    outputs = [
        [f"`{name}`", plain(output["Description"])] for name, output in template["Outputs"].items()
    ]
    return "\n".join([*lines, "", "## Outputs", "", *table(["output", "what it is"], outputs), ""])


def retained_page() -> str:
    """Return the page of what CloudFormation leaves behind when a stack is deleted."""
    rows = [
        [path.stem, f"`{name}`", resource["Type"].removeprefix("AWS::")]
        for path in sorted(REPOSITORY.glob("cloudformation/*.template"))
        for name, resource in load(str(path))["Resources"].items()
        if resource.get("DeletionPolicy", "Delete") != "Delete"
    ]
    return "\n".join(
        [
            *("# What outlives a removal", ""),
            "The playbook `destroy` leaves these; a new environment of the same name meets none.",
            *("", *table(["template", "resource", "type"], rows), ""),
        ]
    )


def default_of(parameter: dict[str, Any]) -> str:
    """Return a parameter's default as the page shows it."""
    if "Default" not in parameter:
        return "required"
    return f"`{parameter['Default']}`" if parameter["Default"] != "" else "empty"


def proof_page(proofs: dict[str, Any]) -> str:
    """Return what CI proves and what not, from docs/proofs.yml."""
    rows = [
        [row["what"], proof_text(row), row.get("not_proved", "")] for row in proofs["behaviour"]
    ]
    playbooks = [
        [f"[{name}](playbooks/{name}.md)", proof_text(proof)]
        for name, proof in proofs["playbooks"].items()
    ]
    return "\n".join(
        [
            *("# What CI proves, and what not", "", proofs["introduction"]),
            *table(["what", "proved by", "what that does not prove"], rows),
            *("", "## Playbooks on the embedded AWS", ""),
            *(*table(["playbook", "proved by"], playbooks), ""),
        ]
    )


def write_site(folder: Path) -> None:
    """Write all pages into a folder, in place of what is there."""
    pages = markdown_pages()
    proofs = yaml.safe_load((REPOSITORY / "docs/proofs.yml").read_text())
    written = {page: linked(source, page, pages) for page, source in pages.items()}
    written |= playbook_pages(proofs["playbooks"])
    written |= {
        "alarms.md": alarm_page(),
        "parameters.md": parameter_page(),
        "retained.md": retained_page(),
        "proofs.md": proof_page(proofs),
        "roles/index.md": role_index(pages),
    }
    shutil.rmtree(folder, ignore_errors=True)
    for page, text in written.items():
        (folder / page).parent.mkdir(parents=True, exist_ok=True)
        (folder / page).write_text(text)
    shutil.copy(REPOSITORY / "docs/architecture.svg", folder)


if __name__ == "__main__":
    write_site(Path(sys.argv[1]))
