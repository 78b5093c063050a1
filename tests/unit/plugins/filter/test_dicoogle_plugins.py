# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.openpacs.dicoogle.plugins.filter.dicoogle_plugins import dicoogle_plugins

DIGEST = "0123456789abcdef" * 4
JAR = "https://example.org/plugins/dicomweb-1.0.jar?raw=1"


@pytest.fixture
def plugin(tmp_path):
    """A plugin with everything that one can have."""
    settings = tmp_path / "dicomweb.xml"
    settings.touch()
    return {"url": JAR, "sha256": DIGEST, "settings": str(settings), "paths": ["/dicomweb/v1.0"]}


def problems(*plugins):
    return dicoogle_plugins(list(plugins), "/keep")["problems"]


def test_a_good_plugin_has_no_problem_and_its_files_join_the_image(plugin):
    assert dicoogle_plugins([plugin], "/keep") == {
        "problems": [],
        "files": [
            {
                "path": "plugins/dicomweb-1.0.jar",
                "src": "/keep/dicomweb-1.0.jar",
                "sha256": DIGEST,
                "url": JAR,
            },
            {"path": "plugins/settings/dicomweb.xml", "src": plugin["settings"]},
        ],
        "paths": ["/dicomweb/v1.0"],
    }


def test_a_jar_of_this_machine_is_not_downloaded(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    found = dicoogle_plugins([{"path": "~/a.jar", "sha256": DIGEST}], "/keep")
    assert found["files"] == [{"path": "plugins/a.jar", "src": "/home/me/a.jar", "sha256": DIGEST}]
    assert (found["problems"], found["paths"]) == ([], [])


def test_no_plugins_mean_nothing():
    assert not any(dicoogle_plugins([], "/keep").values())


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"sha256": "abc"}, "'abc' is no SHA-256"),
        ({"sha256": DIGEST.upper()}, "is no SHA-256"),
        ({"url": ""}, "a plugin: give either the url or the path"),
        ({"path": "/a.jar"}, "give either the url or the path"),
        ({"url": "https://example.org/dicomweb.zip"}, "'dicomweb.zip' is no name of a jar"),
        ({"url": "https://example.org/a.jar/"}, "'' is no name of a jar"),
        ({"url": "https://example.org/a b.jar"}, "'a b.jar' is no name of a jar"),
        ({"settings": "/nowhere/dicomweb.xml"}, "there is no file /nowhere/dicomweb.xml"),
        ({"settings": "/a/luceneset.xml"}, "luceneset.xml is made by the container"),
        ({"settings": "/a/file-storage.xml"}, "file-storage.xml is made by the container"),
        ({"settings": "/a/dicomweb.conf"}, "no plugin reads dicomweb.conf"),
        ({"paths": ["dicomweb"]}, "'dicomweb' is no web path"),
        ({"paths": ["/ok", "/"]}, "'/' is no web path"),
        ({"paths": ["/a/../user"]}, "'/a/../user' is no web path"),
        ({"paths": ["/a,/b"]}, "'/a,/b' is no web path"),
    ],
)
def test_what_is_wrong_is_named_once_with_what_to_do(plugin, wrong, sentence):
    (problem,) = problems(plugin | wrong)
    assert sentence in problem


def test_no_file_replaces_another(plugin):
    other = {"url": "https://example.org/other/dicomweb-1.0.jar", "sha256": DIGEST}
    (problem,) = problems(plugin, other)
    assert "2 files are called dicomweb-1.0.jar" in problem
