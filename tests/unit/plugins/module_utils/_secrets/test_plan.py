# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._secrets.plan import (
    DIGEST_TAG,
    Plan,
    Secret,
    StoredSecret,
    digest,
    plan_secret,
)

KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
DESIRED = Secret("dicoogle/key", "s3cret", KEY_ARN, {"owner": "radiology"}, "d1")
STORED = StoredSecret(
    name="dicoogle/key",
    arn="arn:aws:secretsmanager:eu-west-1:123456789012:secret:dicoogle/key-AbCdEf",
    kms_key_id=KEY_ARN,
    tags={"owner": "radiology", "other": "stays", DIGEST_TAG: "d1"},
    deleted=False,
)


def test_equal_means_nothing_to_do() -> None:
    assert plan_secret(DESIRED, STORED) == Plan()
    assert plan_secret(DESIRED, STORED).changes == []


def test_missing_secret_is_created() -> None:
    assert plan_secret(DESIRED, None).changes == ["created"]


def test_other_value_is_written_and_its_digest_last() -> None:
    plan = plan_secret(replace(DESIRED, digest="d2"), STORED)
    assert plan == Plan(put_value=True, tags={DIGEST_TAG: "d2"})
    assert plan.changes == ["value changed"]


def test_value_without_digest_is_written_again() -> None:
    assert plan_secret(DESIRED, replace(STORED, tags={"owner": "radiology"})).put_value


def test_deleted_secret_is_restored_and_brought_up_to_date() -> None:
    stored = replace(STORED, deleted=True, tags={})
    assert plan_secret(DESIRED, stored).changes == ["restored", "value changed", "tags changed"]


def test_only_differing_tags_are_written() -> None:
    desired = replace(DESIRED, tags={"owner": "it", "site": "north"})
    plan = plan_secret(desired, replace(STORED, tags={**STORED.tags, "site": "north"}))
    assert plan == Plan(tags={"owner": "it"})
    assert plan.changes == ["tags changed"]


@pytest.mark.parametrize(
    ("wanted", "stored", "changes"),
    [
        ("1234abcd", KEY_ARN, []),
        (KEY_ARN, "1234abcd", []),
        ("alias/pacs", "arn:aws:kms:eu-west-1:123456789012:alias/pacs", []),
        (None, KEY_ARN, []),
        ("alias/pacs", KEY_ARN, ["key changed"]),
        (KEY_ARN, None, ["key changed"]),
    ],
)
def test_key_is_compared_by_what_it_names(
    wanted: str | None, stored: str | None, changes: list[str]
) -> None:
    desired = replace(DESIRED, kms_key_id=wanted)
    assert plan_secret(desired, replace(STORED, kms_key_id=stored)).changes == changes


def test_digest_depends_on_name_and_value_only() -> None:
    assert digest("a", "x") == digest("a", "x")
    assert len({digest("a", "x"), digest("a", "y"), digest("b", "x")}) == 3


def test_digest_fits_a_tag_and_does_not_show_the_value() -> None:
    assert len(digest("dicoogle/key", "s3cret" * 10000)) == 64
    assert "s3cret" not in digest("dicoogle/key", "s3cret")


def test_value_is_not_in_the_representation() -> None:
    assert "s3cret" not in repr(DESIRED)
