# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from ansible_collections.openpacs.dicoogle.plugins.lookup.unknown_variables import (
    COLLECTION,
    known_variables,
    unknown_variables,
)

KNOWN = ["dicoogle_environment", "dicoogle_domain_name", "stack_parameters"]


def test_known_and_foreign_variables_pass():
    assert unknown_variables(["dicoogle_environment", "stack_of_mine", "ansible_host"], KNOWN) == []


def test_a_misspelt_variable_names_the_right_one():
    assert unknown_variables(["dicoogle_enviroment", "stack_parameter"], KNOWN) == [
        "The variable dicoogle_enviroment is unknown; did you mean dicoogle_environment?",
        "The variable stack_parameter is unknown; did you mean stack_parameters?",
    ]


def test_an_unknown_variable_with_our_prefix_lists_those_that_exist():
    (problem,) = unknown_variables(["dicoogle_speed"], KNOWN)
    assert "dicoogle_speed is unknown" in problem
    assert "dicoogle_domain_name, dicoogle_environment" in problem


def test_what_users_may_set_is_read_from_the_collection():
    known = known_variables(COLLECTION)
    assert {"dicoogle_aws", "dicoogle_environment", "prerequisites_key_pair"} <= known
    assert "__prerequisites_stack" not in known
