# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from ansible_collections.openpacs.dicoogle.plugins.filter.parameter_problems import (
    parameter_problems,
)


def test_plain_values_and_lists_of_them_have_no_problems() -> None:
    assert parameter_problems({"A": "a", "B": 1, "C": True, "D": ["a", 2], "E": "", "F": []}) == []


def test_each_value_that_cannot_be_one_is_named() -> None:
    problems = parameter_problems({"A": None, "B": {"a": 1}, "C": ["a,b"], "D": [["a"]], "E": 1})
    assert [problem.split(" has ")[0].split(" is ")[0] for problem in problems] == [
        "The parameter A",
        "The parameter B",
        "The parameter C",
        "An item of the parameter D",
    ]
