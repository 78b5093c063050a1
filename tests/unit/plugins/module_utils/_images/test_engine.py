# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._images.engine import (
    Login,
    build,
    find_engine,
    logged_in,
    push,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._images.image import read_image

# Notes how it was called, then ends as told.
PROGRAM = """\
#!{python}
import json, os, stat, sys
command = sys.argv[1]
if command in {failing}:
    print("step 1 of 2")
    print({message!r}, file=sys.stderr)
    sys.exit(1)
if command == "context":
    print("unix:///run/user/1000/docker.sock")
folder = os.environ.get("DOCKER_CONFIG")
with open({log!r} + "." + command, "w") as log:
    json.dump(
        {{
            "argv": sys.argv[1:],
            "stdin": sys.stdin.read() if command == "login" else "",
            "context": os.listdir(sys.argv[-1]) if command == "build" else [],
            "folder": folder,
            "mode": oct(stat.S_IMODE(os.stat(folder).st_mode)) if folder else None,
            "auths": json.load(open(folder + "/config.json"))["auths"] if folder else None,
            "host": os.environ.get("DOCKER_HOST"),
        }},
        log,
    )
"""
LOGIN = Login("127.0.0.1:4566", "AWS", "the password", plain_http=True)

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put an engine of our own on an otherwise empty PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)

    def install(name: str, failing: tuple[str, ...] = (), message: str = "") -> None:
        program = folder / name
        log = str(tmp_path / name)
        program.write_text(
            PROGRAM.format(python=sys.executable, failing=failing, message=message, log=log)
        )
        program.chmod(0o755)

    return install


@pytest.fixture
def said(tmp_path: Path) -> Callable[[str, str], dict[str, Any]]:
    """What an engine was told by one of its commands."""
    return lambda name, command: json.loads((tmp_path / f"{name}.{command}").read_text())


@pytest.fixture
def image(tmp_path: Path) -> Any:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM scratch\n")
    return read_image(
        {
            "name": "nginx",
            "repository": "dicoogle/nginx",
            "context": str(context),
            "dockerfile": "Dockerfile",
            "build_args": {"BASE": "nginx:1.29"},
            "platform": "linux/amd64",
            "files": [],
        }
    )


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """find_engine() with the run_command of a module."""
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", b'{"ANSIBLE_MODULE_ARGS": {}}')
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    run_command = basic.AnsibleModule(argument_spec={}).run_command
    return lambda: find_engine(run_command)


def test_no_engine_is_none(install: Install, find: Any) -> None:
    assert find() is None


def test_engine_that_does_not_answer_is_passed_over(install: Install, find: Any) -> None:
    install("docker", failing=("info",))
    assert find() is None
    install("podman")
    assert find().is_podman


def test_password_goes_through_stdin_into_a_private_folder(
    install: Install, find: Any, said: Any
) -> None:
    install("docker")
    with logged_in(find(), LOGIN):
        login = said("docker", "login")
        assert Path(login["folder"]).is_dir()
    assert login["argv"] == ["login", "--username", "AWS", "--password-stdin", "127.0.0.1:4566"]
    assert login["stdin"] == "the password"
    assert login["mode"] == "0o700"
    assert not Path(login["folder"]).exists()


def test_credential_store_of_the_user_is_not_used(install: Install, find: Any, said: Any) -> None:
    install("docker")
    with logged_in(find(), LOGIN):
        assert said("docker", "login")["auths"] == {"127.0.0.1:4566": {}}


def test_private_folder_does_not_hide_the_daemon(
    install: Install, find: Any, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("docker")
    with logged_in(find(), LOGIN):
        assert said("docker", "login")["host"] == "unix:///run/user/1000/docker.sock"
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:2376")
    with logged_in(find(), LOGIN):
        assert said("docker", "login")["host"] == "tcp://elsewhere:2376"


def test_failed_login_leaves_nothing_and_hides_the_password(
    install: Install, find: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("docker", failing=("login",), message="connection refused")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with (
        pytest.raises(ModuleError, match=r"log in to 127\.0\.0\.1:4566") as caught,
        logged_in(find(), LOGIN),
    ):
        pass
    assert "the password" not in str(caught.value)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_podman_is_told_that_the_registry_has_no_tls(
    install: Install, find: Any, said: Any, image: Any
) -> None:
    install("podman")
    with logged_in(find(), LOGIN) as private:
        push(private, image, "127.0.0.1:4566/nginx:t")
    assert "--tls-verify=false" in said("podman", "login")["argv"]
    assert said("podman", "push")["argv"] == [
        "push",
        "--tls-verify=false",
        "127.0.0.1:4566/nginx:t",
    ]


def test_build_gets_the_context_and_its_arguments(
    install: Install, find: Any, said: Any, image: Any
) -> None:
    install("docker")
    build(find(), image, "registry/nginx:t", network="host", anew=False)
    told = said("docker", "build")
    folder = told["argv"][-1]
    assert " ".join(told["argv"]) == (
        "build --platform linux/amd64 --tag registry/nginx:t --build-arg BASE=nginx:1.29"
        f" --network host --file {folder}/Dockerfile {folder}"
    )
    assert told["context"] == ["Dockerfile"]
    assert not Path(folder).exists()


def test_what_is_built_anew_uses_no_layer_of_an_earlier_day(
    install: Install, find: Any, said: Any, image: Any
) -> None:
    install("docker")
    build(find(), image, "registry/nginx:t", network=None, anew=True)
    assert "--no-cache" in said("docker", "build")["argv"]


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("denied: Your authorization token has expired.", "The login has expired: run again."),
        ("denied: User is not authorized to perform: ecr:PutImage", "Allow ecr:PutImage"),
        ("name unknown: The repository does not exist", "Create the repository first."),
        ("write /layer: no space left on device", "Free disk space"),
    ],
)
def test_failure_tells_command_output_and_what_next(
    install: Install, find: Any, image: Any, message: str, hint: str
) -> None:
    install("docker", failing=("push",), message=message)
    with pytest.raises(ModuleError) as caught:
        push(find(), image, "registry/nginx:t")
    text = str(caught.value)
    assert text.startswith("Failed to push the image nginx: '")
    assert "docker push registry/nginx:t' ended with 1:\n" in text
    assert "step 1 of 2\n" in text
    assert f"{message}\n{hint}" in text
