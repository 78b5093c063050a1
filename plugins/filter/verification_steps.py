# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter `verification_steps`: the report of role `verify`, from what its tasks returned."""

from __future__ import annotations

DOCUMENTATION = r"""
name: verification_steps
version_added: 1.0.0
author: openpacs contributors (@openpacs)
short_description: List what was tried with an archive, and how it went
description:
  - Turns the results of the tasks of the role C(verify) into the rows of its report.
positional: _input
options:
  _input:
    description:
      - The registered results of the tasks by name.
      - These are V(echoes), V(page), V(state), V(stored), V(found), V(by_name), V(name_in_utf8),
        V(picture), V(dicomweb), V(moved), V(refused), V(barred) and V(removed).
    type: dict
    required: true
  name:
    description: The name that the search by name was for.
    type: str
    required: true
  name_in_utf8:
    description: The name that was sent in UTF-8.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Tell what was tried
  ansible.builtin.set_fact:
    steps: "{{ results | openpacs.dicoogle.verification_steps('VERIFY*', name_in_utf8='Żółć') }}"
"""

RETURN = r"""
_value:
  description: What was tried, each with V(step), V(result) and V(milliseconds), which may be null.
  type: list
  elements: dict
  sample:
    - {step: C-ECHO storage, result: 0x0000 Success, milliseconds: 12}
"""

import typing as t

Result = t.Mapping[str, t.Any]
Step = dict[str, t.Any]


def _step(step: str, result: str, milliseconds: float | None = None) -> Step:
    return {"step": step, "result": result, "milliseconds": milliseconds}


def _skipped(result: Result) -> bool:
    return bool(result.get("skipped"))


def _echoes(results: Result) -> t.Iterator[Step]:
    for each in results["echoes"]["results"]:
        service = each["__verify_service"]["name"]
        yield _step(f"C-ECHO {service}", each["status_text"], each["milliseconds"])


def _page(results: Result) -> t.Iterator[Step]:
    page = results["page"]
    shown = f"sign-in at {page['sign_in']}" if page["sign_in"] else f"Dicoogle {page['version']}"
    yield _step("web page", shown, page["milliseconds"])


def _keeper(results: Result) -> t.Iterator[Step]:
    state = results["state"]
    keeper = state["keeper"]
    if not keeper:
        return
    waiting = f"{keeper['not_findable']} waiting for the index"
    yield _step("archive", waiting, state["milliseconds"])
    for each in keeper["never_findable"]:
        yield _step(f"never found: {each['sop_instance_uid']}", each["reason"])


def _images(results: Result, name: str, name_in_utf8: str) -> t.Iterator[Step]:
    stored, picture, utf8 = results["stored"], results["picture"], results["name_in_utf8"]
    yield _step("C-STORE", f"{stored['stored']} stored", stored["milliseconds"])
    for each in results["found"]["results"]:
        yield _step("C-FIND", f"found at attempt {each['attempts']}", each["milliseconds"])
    yield _step(f"C-FIND by name, {name}", "found", results["by_name"]["milliseconds"])
    came = utf8["matches"][0].get("PatientName", "") if utf8["matches"] else ""
    garbled = "as sent" if came == name_in_utf8 else "garbled: a known limit"
    yield _step("a name in UTF-8", garbled, utf8["milliseconds"])
    shown = f"{picture['content_type']}, {picture['size']} bytes"
    yield _step("picture", shown, picture["milliseconds"])


def _dicomweb(results: Result) -> t.Iterator[Step]:
    answer = results["dicomweb"]
    if not _skipped(answer):
        yield _step("DICOMweb, QIDO-RS", f"status {answer['status']}", answer["milliseconds"])


def _moved(results: Result) -> t.Iterator[Step]:
    moved = [each for each in results["moved"]["results"] if not _skipped(each)]
    for each in moved:
        yield _step("C-MOVE", f"{each['completed']} arrived, same picture", each["milliseconds"])
    if not moved:
        yield _step("C-MOVE", "not tried: see verify_receiver")


def _refused(results: Result) -> t.Iterator[Step]:
    for each in results["refused"]["results"]:
        service, client = each["__verify_case"]
        yield _step(f"{client['who']} to {service['name']}", f"refused: {each['reason']}")
    for each in results["barred"]["results"]:
        who = each["__verify_case"]["who"]
        yield _step(f"{who} to management", f"refused: {each['reason']}")


def _removal(results: Result) -> t.Iterator[Step]:
    removed = results["removed"]
    if not _skipped(removed):
        yield _step("removal", f"{len(removed['removed'])} removed", removed["milliseconds"])


def verification_steps(results: Result, name: str, name_in_utf8: str) -> list[Step]:
    """Return a row for each thing that was tried, in the order in which it was."""
    return [
        *_echoes(results),
        *_page(results),
        *_keeper(results),
        *_images(results, name, name_in_utf8),
        *_dicomweb(results),
        *_moved(results),
        *_refused(results),
        *_removal(results),
    ]


class FilterModule:
    """Gives Ansible the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"verification_steps": verification_steps}
