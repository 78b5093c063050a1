# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._identity import content, folders
from ansible_collections.openpacs.dicoogle.plugins.module_utils._identity.content import Identity
from support.certificates import issue

CA = "pki/ca/1/certificate.pem"


def packed(**changes: Any) -> bytes:
    return lzma.compress(json.dumps({"files": {}, "links": {}, **changes}).encode())


@pytest.fixture
def filled(tmp_path: Path) -> dict[str, Path]:
    """Two folders as the roles make them, reduced."""
    pair = tmp_path / "home" / "pki" / "leaves" / "nginx.2"
    pair.mkdir(parents=True)
    (pair / "private_key.pem").write_text("key\n")
    (pair.parent / "nginx").symlink_to("nginx.2")
    (tmp_path / "home" / "secrets").mkdir()
    (tmp_path / "home" / "secrets" / "admin-password").write_text("pässword")
    return {name: tmp_path / "home" / name for name in ("pki", "secrets")}


def test_folders_come_back_as_they_were_and_private(
    filled: dict[str, Path], tmp_path: Path
) -> None:
    value = content.pack(folders.read(filled))
    elsewhere = {name: tmp_path / "new" / "home" / name for name in filled}
    folders.write(elsewhere, content.unpack(value))
    assert folders.read(elsewhere) == folders.read(filled)
    assert (elsewhere["pki"] / "leaves/nginx/private_key.pem").read_text() == "key\n"
    for path in (tmp_path / "new").rglob("*"):
        if not path.is_symlink():
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_what_the_account_does_not_have_goes(filled: dict[str, Path]) -> None:
    kept = folders.read(filled)
    (filled["pki"] / "leaves/stale").write_text("x")
    folders.write(filled, kept)
    assert folders.read(filled) == kept
    assert sorted(path.name for path in filled["pki"].parent.iterdir()) == ["pki", "secrets"]


def test_what_a_killed_run_left_beside_a_folder_is_no_obstacle(filled: dict[str, Path]) -> None:
    kept = folders.read(filled)
    for suffix in ("new", "old"):
        filled["pki"].with_name(f"pki.{suffix}").mkdir()
        (filled["pki"].with_name(f"pki.{suffix}") / "half").touch()
    folders.write(filled, kept)
    assert folders.read(filled) == kept


def test_folders_that_are_not_there_hold_nothing(tmp_path: Path) -> None:
    assert folders.read({"pki": tmp_path / "none"}) == Identity({}, {})


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"not packed",
        lzma.compress(b"not JSON"),
        lzma.compress(b"[]"),
        packed(files={"../outside": "x"}),
        packed(files={"/etc/outside": "x"}),
        packed(files={"pki/../../outside": "x"}),
        packed(links={"pki/ca": "/etc"}),
        packed(links={"pki/ca": "../../outside"}),
    ],
)
def test_a_value_that_could_do_harm_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"unpacked|outside"):
        content.unpack(value)


def test_a_hundred_clients_with_a_renewal_each_fit_into_a_secret(tmp_path: Path) -> None:
    authority = issue(tmp_path, "CA", authority=True)
    files = {}
    for number in range(100):
        for generation in (1, 2):
            name = f"scanner-{number}"
            pem = issue(
                tmp_path, f"{name}.{generation}.hospital.internal", authority
            ).path.read_text()
            files[f"pki/issued/{name}.{generation}.pem"] = pem
        files[f"pki/leaves/{name}.2/certificate.pem"] = pem
        key = next(tmp_path.glob(f"{name}.2.*.key")).read_text()
        files[f"pki/leaves/{name}.2/private_key.pem"] = key
    assert len(content.pack(Identity(files, {}))) < content.LARGEST_VALUE


class TestAuthorities:
    @pytest.fixture
    def pem(self, tmp_path: Path) -> str:
        return issue(tmp_path, "CA", authority=True).path.read_text()

    @pytest.fixture
    def other(self, tmp_path: Path) -> str:
        return issue(tmp_path, "Other CA", authority=True).path.read_text()

    def test_the_same_do_not_contradict(self, pem: str) -> None:
        ours = Identity({CA: pem}, {})
        assert content.contradictions(ours, Identity({CA: pem, "pki/x": "y"}, {})) == {}

    def test_another_under_the_same_number_does(self, pem: str, other: str) -> None:
        found = content.contradictions(Identity({CA: pem}, {}), Identity({CA: other}, {}))
        here, there = found[CA]
        assert len(here) == 64
        assert here != there

    def test_one_that_the_account_does_not_know_does(self, pem: str) -> None:
        assert content.contradictions(Identity({CA: pem}, {}), Identity({}, {}))[CA][1] is None

    def test_a_damaged_one_is_none_and_can_be_fetched_again(self, pem: str) -> None:
        assert content.contradictions(Identity({CA: "damaged"}, {}), Identity({CA: pem}, {})) == {}

    def test_more_certificates_go_on_from_fewer_and_not_the_other_way(self, pem: str) -> None:
        fewer = Identity({CA: pem, "pki/leaves/nginx.1/certificate.pem": "gone later"}, {})
        more = Identity({CA: pem, "pki/issued/nginx.2.pem": "new"}, {})
        assert content.continues(more, fewer)
        assert not content.continues(fewer, more)
