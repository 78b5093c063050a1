# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tree of nested stacks."""

from __future__ import annotations

from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import stacks
from cloudformation_shapes import description, nested, stack_id


def test_the_tree_is_read_by_logical_path_whatever_the_order() -> None:
    family = [
        stacks.from_description(item)
        for item in [
            nested("pacs-Network-1X2Y3Z", "Endpoints", "pacs"),
            nested("pacs", "Network", "pacs"),
            nested("other", "Network", "other"),
            description("other"),
            description("pacs"),
        ]
    ]
    tree = stacks.tree(family[-1], family)
    assert list(tree) == ["pacs", "pacs/Network", "pacs/Network/Endpoints"]
    assert tree["pacs/Network"].stack_id == stack_id("pacs-Network-1X2Y3Z")


def test_a_parameter_from_the_parameter_store_keeps_its_name_as_value() -> None:
    ami = {"ParameterKey": "Ami", "ParameterValue": "/aws/ami", "ResolvedValue": "ami-1"}
    assert stacks.from_description(description("pacs", Parameters=[ami])).parameters == {
        "Ami": "/aws/ami"
    }


def test_a_stack_whose_parent_is_gone_hangs_on_the_root() -> None:
    orphan = nested("gone", "Logs", "pacs", StackId="arn:orphan")
    family = [stacks.from_description(item) for item in (description("pacs"), orphan)]
    assert len(stacks.tree(family[0], family)) == 2


def test_review_stacks_of_an_interrupted_run_are_no_part_of_the_tree() -> None:
    orphan = nested(
        "pacs", "Network", "pacs", StackId="arn:orphan", StackStatus="REVIEW_IN_PROGRESS"
    )
    real = nested("pacs", "Network", "pacs")
    for family in ([orphan, real], [real, orphan]):
        found = [stacks.from_description(item) for item in [description("pacs"), *family]]
        tree = stacks.tree(found[0], found)
        assert list(tree) == ["pacs", "pacs/Network"]
        assert tree["pacs/Network"].status == "CREATE_COMPLETE"


def test_a_root_under_review_is_still_found() -> None:
    root = stacks.from_description(description("pacs", "REVIEW_IN_PROGRESS"))
    assert list(stacks.tree(root, [root])) == ["pacs"]


def test_a_nested_stack_that_could_not_be_deleted_does_not_hide_its_successor() -> None:
    old = nested("pacs", "Network", "pacs", StackId="arn:old", StackStatus="DELETE_FAILED")
    new = nested("pacs", "Network", "pacs")
    for family in ([old, new], [new, old]):
        found = [stacks.from_description(item) for item in [description("pacs"), *family]]
        assert stacks.tree(found[0], found)["pacs/Network"].status == "CREATE_COMPLETE"
