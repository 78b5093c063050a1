# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openpacs.dicoogle.plugins.filter.verification_steps import (
    verification_steps,
)

NAME = "Żółć"
SKIPPED = {"skipped": True}
WELL: dict[str, t.Any] = {
    "echoes": {
        "results": [
            {
                "__verify_service": {"name": "storage"},
                "status_text": "0x0000 Success",
                "milliseconds": 1,
            }
        ]
    },
    "page": {"sign_in": None, "version": "3.5.1", "milliseconds": 2},
    "state": {"keeper": {"not_findable": 0, "never_findable": []}, "milliseconds": 3},
    "stored": {"stored": 2, "milliseconds": 4},
    "found": {"results": [{"attempts": 1, "milliseconds": 5}, {"attempts": 2, "milliseconds": 6}]},
    "by_name": {"milliseconds": 7},
    "name_in_utf8": {"matches": [{"PatientName": NAME}], "milliseconds": 8},
    "picture": {"content_type": "image/png", "size": 4, "milliseconds": 9},
    "dicomweb": {"status": 200, "milliseconds": 10},
    "moved": {"results": [{"completed": 1, "milliseconds": 11}]},
    "refused": {
        "results": [
            {
                "__verify_case": [{"name": "query"}, {"who": "no certificate"}],
                "reason": "certificate_missing",
            }
        ]
    },
    "barred": {
        "results": [{"__verify_case": {"who": "a foreigner"}, "reason": "certificate_rejected"}]
    },
    "removed": {"removed": ["1.2", "1.3"], "milliseconds": 12},
}


def rows(**others: t.Any) -> list[tuple[str, str, int | None]]:
    steps = verification_steps(WELL | others, "VERIFY*", NAME)
    return [(step["step"], step["result"], step["milliseconds"]) for step in steps]


def test_everything_that_was_tried_is_told_in_order():
    assert rows() == [
        ("C-ECHO storage", "0x0000 Success", 1),
        ("web page", "Dicoogle 3.5.1", 2),
        ("archive", "0 waiting for the index", 3),
        ("C-STORE", "2 stored", 4),
        ("C-FIND", "found at attempt 1", 5),
        ("C-FIND", "found at attempt 2", 6),
        ("C-FIND by name, VERIFY*", "found", 7),
        ("a name in UTF-8", "as sent", 8),
        ("picture", "image/png, 4 bytes", 9),
        ("DICOMweb, QIDO-RS", "status 200", 10),
        ("C-MOVE", "1 arrived, same picture", 11),
        ("no certificate to query", "refused: certificate_missing", None),
        ("a foreigner to management", "refused: certificate_rejected", None),
        ("removal", "2 removed", 12),
    ]


LOST = {"sop_instance_uid": "1.2.3", "reason": "it has no Modality"}


@pytest.mark.parametrize(
    ("others", "row"),
    [
        (
            {"page": {"sign_in": "auth.example.org", "version": None, "milliseconds": 2}},
            ("web page", "sign-in at auth.example.org", 2),
        ),
        (
            {"state": {"keeper": {"not_findable": 3, "never_findable": [LOST]}, "milliseconds": 3}},
            ("never found: 1.2.3", "it has no Modality", None),
        ),
        (
            {"name_in_utf8": {"matches": [{"PatientName": "?"}], "milliseconds": 8}},
            ("a name in UTF-8", "garbled: a known limit", 8),
        ),
        (
            {"name_in_utf8": {"matches": [], "milliseconds": 8}},
            ("a name in UTF-8", "garbled: a known limit", 8),
        ),
        (
            {"moved": {"results": [SKIPPED], **SKIPPED}},
            ("C-MOVE", "not tried: see verify_receiver", None),
        ),
    ],
)
def test_what_is_different_is_told(others, row):
    assert row in rows(**others)


@pytest.mark.parametrize(
    ("name", "value", "gone"),
    [
        ("state", {"keeper": None, "milliseconds": 3}, "archive"),
        ("dicomweb", SKIPPED, "DICOMweb, QIDO-RS"),
        ("removed", SKIPPED, "removal"),
    ],
)
def test_what_was_not_tried_is_not_told(name, value, gone):
    assert gone in [row[0] for row in rows()]
    assert gone not in [row[0] for row in rows(**{name: value})]
