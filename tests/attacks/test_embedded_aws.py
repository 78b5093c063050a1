# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The attacker wants to act as the person who runs an embedded AWS on a shared machine.

They are another user of the machine, or the author of a page that is open in a browser there.
"""

from __future__ import annotations

import base64
import http.client
import http.server
import io
import json
import multiprocessing
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError
from support.embedded_key import REGION, Key
from support.playbook_runs import Account, share_embedded_venv

BUCKET, OBJECT, CONTENT = "images", "patient", b"the patient's image"
CODE = "def handler(event, context):\n    import os\n    return os.getuid()\n"
TARGETS = {  # of the JSON protocol; the form and the paths of the others are in DOORS
    "secretsmanager.ListSecrets": "application/x-amz-json-1.1",
    "TrentService.ListKeys": "application/x-amz-json-1.1",
    "AmazonEC2ContainerServiceV20141113.ListClusters": "application/x-amz-json-1.1",
    "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken": "application/x-amz-json-1.1",
    "FmrsService.ListTasks": "application/x-amz-json-1.1",
}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Call:
    """A request as it is sent."""

    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def package() -> str:
    """A function's code, as CreateFunction takes it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", CODE)
    return base64.b64encode(archive.getvalue()).decode()


CREATE_FUNCTION = {
    "FunctionName": "attack",
    "Runtime": "python3.13",
    "Role": "arn:aws:iam::000000000000:role/any",
    "Handler": "index.handler",
    "Code": {"ZipFile": package()},
}
DOORS = [
    Call("POST", "/2015-03-31/functions", json.dumps(CREATE_FUNCTION).encode()),
    Call("POST", "/2015-03-31/functions/own/invocations"),
    Call("POST", "/_aws/lambda-url/own/"),
    Call("GET", "/2015-03-31/functions/own"),
    *(
        Call("POST", "/", b"{}", {"x-amz-target": target, "content-type": kind})
        for target, kind in TARGETS.items()
    ),
    Call("POST", "/", b"Action=DescribeStacks&Version=2010-05-15", FORM),
    Call("POST", "/", b"Action=DescribeInstances&Version=2016-11-15", FORM),
    Call(
        "POST",
        "/",
        b"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn:aws:iam::1:role/r"
        b"&RoleSessionName=s&WebIdentityToken=t",
        FORM,
    ),
    Call("GET", "/?Action=ListUsers&Version=2010-05-08"),
    Call("GET", "/"),
    Call("GET", f"/{BUCKET}"),
    Call("GET", f"/{BUCKET}/{OBJECT}"),
    Call("HEAD", f"/{BUCKET}/{OBJECT}"),
    Call("PUT", f"/{BUCKET}/{OBJECT}", b"another image"),
    Call("DELETE", f"/{BUCKET}/{OBJECT}"),
    Call("OPTIONS", f"/{BUCKET}/{OBJECT}"),
    Call("POST", "/_ministack/reset"),
    Call("POST", "/_ministack/config", b"{}"),
    Call("GET", "/_ministack/lambda-code/000000000000/us-east-1/own"),
    Call("GET", "/_ministack/sqs/messages"),
    Call("POST", "/_ministack/rds/iam-auth"),
    Call("POST", "/_ministack/health"),
    Call("GET", "/_ministack/health/../reset"),
    Call("PUT", "/_ministack/cfn-response/guess", b"{}"),
    Call("PUT", "/_ministack/cfn-signal/../reset", b"{}"),
    Call("POST", "/_ministack/cfn-response/" + "0" * 36),
    Call("GET", "/_localstack/health"),
    Call("GET", "/health"),
    Call("GET", "/_openpacs/names"),
    Call("GET", "/v2/"),
    Call("GET", "/v2/_catalog"),
    Call("POST", "/v2/own/image/blobs/uploads/"),
    Call("PUT", "/v2/own/image/manifests/1", b"{}"),
    Call("GET", "/v2/apis"),
    Call("GET", "/oauth2/authorize?client_id=x"),
    Call("GET", "/restapis/x/stage/_user_request_/"),
    Call("GET", "/iceberg/v1/config"),
]


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """An embedded AWS with something in it, in a folder that everybody can look for."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        account = Account(Path(folder) / "aws", engine=False)
        before = os.umask(0)  # as careless as can be
        try:
            account.succeed("embedded")
        finally:
            os.umask(before)
        s3 = account.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key=OBJECT, Body=CONTENT)
        account.client("secretsmanager").create_secret(Name="own", SecretString="hush-hush")
        account.client("lambda").create_function(
            **{**CREATE_FUNCTION, "FunctionName": "own", "Code": {"ZipFile": _zip()}}
        )
        yield account
        account.run("embedded", dicoogle_embedded_state="stopped")


def _zip() -> bytes:
    return base64.b64decode(package())


def answer(account: Account, call: Call) -> tuple[int, bytes, dict[str, str]]:
    """Make a call as it stands; status, body and headers of the answer."""
    return answer_at(urlsplit(account.endpoint_url).netloc, call)


def answer_at(server: str, call: Call) -> tuple[int, bytes, dict[str, str]]:
    """Make a call to a server, which anybody can find by trying all ports."""
    connection = http.client.HTTPConnection(server, timeout=20)
    try:
        connection.request(call.method, call.path, call.body or None, call.headers)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, response.read(), headers
    finally:
        connection.close()


def signed(account: Account, call: Call, key: Key, service: str = "s3") -> Call:
    """The call with a signature that is made with a key."""
    signature = key.headers(call.method, account.endpoint_url + call.path, call.body, service)
    return replace(call, headers={**call.headers, **signature})


def as_nobody(work: Callable[[], Any]) -> Any:
    """Do something as another user of this machine, and return what comes of it."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    nobody = pwd.getpwnam("nobody")
    processes = multiprocessing.get_context("fork")
    result: Any = processes.Queue()

    def child() -> None:
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
        try:
            result.put(work())
        except OSError as error:
            result.put(error)

    process = processes.Process(target=child)
    process.start()
    found = result.get(timeout=60)
    process.join(10)
    return found


def nothing_happened(account: Account) -> None:
    """What the owner has is still there, and nothing else is."""
    s3, functions = account.client("s3"), account.client("lambda")
    assert s3.get_object(Bucket=BUCKET, Key=OBJECT)["Body"].read() == CONTENT
    assert [f["FunctionName"] for f in functions.list_functions()["Functions"]] == ["own"]
    assert len(account.client("secretsmanager").list_secrets()["SecretList"]) == 1


class TestAnotherUserOfTheMachine:
    @pytest.mark.parametrize("call", DOORS, ids=lambda call: f"{call.method} {call.path[:50]}")
    def test_a_call_without_the_key_is_refused(self, account: Account, call: Call) -> None:
        server = urlsplit(account.endpoint_url).netloc
        status, body, headers = as_nobody(lambda: answer_at(server, call))
        assert status in (401, 403), body
        assert CONTENT not in body
        assert b"own" not in body
        assert not [name for name in headers if name.startswith("access-control-")]

    def test_nothing_of_it_happened(self, account: Account) -> None:
        nothing_happened(account)

    @pytest.mark.parametrize(
        ("identity", "secret"),
        [
            ("test", "test"),
            ("000000000000", "test"),
            ("embedded", "no-secret-at-all"),
            ("AKIDEXAMPLE", ""),
            ("the right one", "wrong"),
            ("the right one", ""),
        ],
    )
    def test_a_guessed_key_is_refused(self, account: Account, identity: str, secret: str) -> None:
        guess = Key(account.key.identity if identity == "the right one" else identity, secret)
        for call in DOORS:
            status, body, _unused = answer(account, signed(account, call, guess))
            assert status in (401, 403), (call, body)
        clients = boto3.Session(guess.identity, guess.secret or "-", region_name=REGION)
        s3 = clients.client("s3", endpoint_url=account.endpoint_url)
        with pytest.raises(ClientError, match=r"AccessDenied.*file credentials"):
            s3.get_object(Bucket=BUCKET, Key=OBJECT)
        url = s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": OBJECT})
        assert answer(account, Call("GET", url.removeprefix(account.endpoint_url)))[0] == 403

    @pytest.mark.parametrize("shown", ["AWS:ministack-auth-token", "AWS:", "AWS:test", ":"])
    def test_a_guessed_password_is_refused(self, account: Account, shown: str) -> None:
        login = {"authorization": f"Basic {base64.b64encode(shown.encode()).decode()}"}
        for path in ("/v2/", "/_openpacs/names"):
            assert answer(account, Call("GET", path, headers=login))[0] == 401

    def test_the_password_opens_the_registry_and_the_names_only(self, account: Account) -> None:
        shown = base64.b64encode(f"AWS:{account.key.password}".encode()).decode()
        login = {"authorization": f"Basic {shown}"}
        assert answer(account, Call("GET", "/v2/", headers=login))[0] == 200
        assert answer(account, Call("GET", "/_openpacs/names", headers=login))[0] == 200
        for path in (f"/{BUCKET}/{OBJECT}", "/v2/apis", "/_ministack/sqs/messages"):
            assert answer(account, Call("GET", path, headers=login))[0] == 403

    def test_no_file_can_be_read_or_listed(self, account: Account) -> None:
        for path in (account.folder, account.folder / "data", account.folder / "data" / "state"):
            assert isinstance(as_nobody(lambda path=path: os.listdir(path)), PermissionError)
        for name in ("credentials", "endpoint", "data/access.log", "server.log"):
            file = account.folder / name
            assert file.exists()
            assert isinstance(as_nobody(file.read_bytes), PermissionError)

    def test_every_file_would_be_private_even_if_the_folder_were_not(
        self, account: Account
    ) -> None:
        account.client("sqs").create_queue(QueueName="something-to-save")
        snapshots = account.folder / "data" / "state" / "snapshots"
        for _unused in range(100):
            if snapshots.exists():
                break
            time.sleep(0.1)
        files = [account.folder, *(account.folder / "data").rglob("*")]
        assert any(file.name == "secretsmanager.json" for file in files)
        files += [account.folder / name for name in ("credentials", "endpoint", "server.log")]
        open_to_others = [f for f in files if not f.is_symlink() and f.stat().st_mode & 0o077]
        assert open_to_others == []

    def test_the_secret_is_in_its_file_and_nowhere_else(self, account: Account) -> None:
        secrets = (account.key.secret, account.key.password)
        holders = {
            str(file.relative_to(account.folder))
            for file in account.folder.rglob("*")
            if file.is_file() and "venv" not in file.relative_to(account.folder).parts
            if any(secret.encode() in file.read_bytes() for secret in secrets)
        }
        assert holders == {"credentials"}
        commands = [p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if p.exists()]
        assert not [c for c in commands if any(secret.encode() in c for secret in secrets)]

    def test_two_embedded_aws_have_two_keys(self, account: Account, tmp_path: Path) -> None:
        other = Account(tmp_path / "aws", engine=False)
        share_embedded_venv(other.folder)
        other.succeed("embedded")
        try:
            assert other.key.secret != account.key.secret
            with pytest.raises(ClientError, match="AccessDenied"):
                account.key.session.client("s3", endpoint_url=other.endpoint_url).list_buckets()
        finally:
            other.succeed("embedded", dicoogle_embedded_state="stopped")


class TestAListenerWhoHasSeenAnHonestRequest:
    """Nothing that is sent can be turned into another request."""

    def test_another_body_path_or_header_breaks_the_signature(self, account: Account) -> None:
        honest = Call("PUT", f"/{BUCKET}/other", b"honest")
        sent = signed(account, honest, account.key)
        assert answer(account, sent)[0] == 200
        for forged in (
            replace(sent, body=b"forged"),
            replace(sent, path=f"/{BUCKET}/{OBJECT}"),
            replace(sent, path=f"/{BUCKET}/other?acl"),
            replace(sent, method="DELETE", body=b""),
            replace(sent, headers={**sent.headers, "x-amz-acl": "public-read"}),
            replace(sent, headers={**sent.headers, "x-amz-target": "secretsmanager.ListSecrets"}),
            replace(sent, headers={**sent.headers, "X-Amz-Date": "20200101T000000Z"}),
        ):
            assert answer(account, forged)[0] == 403
        nothing_happened(account)

    def test_another_body_breaks_the_signature_of_a_service_that_names_no_hash(
        self, account: Account
    ) -> None:
        honest = Call("POST", "/2015-03-31/functions/own/invocations", b"{}")
        sent = signed(account, honest, account.key, "lambda")
        assert answer(account, sent)[0] == 200
        assert answer(account, replace(sent, body=b"[]"))[0] == 403

    def test_an_old_request_is_refused(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from datetime import UTC, datetime, timedelta

        from botocore import auth

        then = datetime.now(UTC) - timedelta(hours=1)
        monkeypatch.setattr(auth, "get_current_datetime", lambda: then)
        old = signed(account, Call("GET", f"/{BUCKET}/{OBJECT}"), account.key)
        assert answer(account, old)[0] == 403

    def test_a_presigned_url_opens_its_object_until_it_expires(self, account: Account) -> None:
        from botocore.config import Config

        s3 = account.key.session.client(
            "s3", endpoint_url=account.endpoint_url, config=Config(signature_version="s3v4")
        )

        def url(seconds: int) -> str:
            made = s3.generate_presigned_url(
                "get_object", {"Bucket": BUCKET, "Key": OBJECT}, ExpiresIn=seconds
            )
            return str(made).removeprefix(account.endpoint_url)

        good = url(60)
        assert answer(account, Call("GET", good))[:2] == (200, CONTENT)
        late = url(1)
        time.sleep(2.1)
        assert answer(account, Call("GET", late))[0] == 403
        listing = {"x-amz-target": "secretsmanager.ListSecrets"}
        for forged in (
            Call("PUT", good, b"forged"),
            Call("GET", good.replace(OBJECT, "other")),
            Call("GET", good.replace("X-Amz-Expires=60", "X-Amz-Expires=6000")),
            Call("GET", good, b"{}", listing),
            Call("GET", f"{good}&Action=DescribeStacks"),
        ):
            assert answer(account, forged)[0] == 403
        nothing_happened(account)


PAGE = """<!doctype html><title>page</title><img src="ENDPOINT/BUCKET/OBJECT"><script>
const told = {};
async function attempt(name, url, options) {
  try {
    const response = await fetch(url, options);
    told[name] = [response.type, response.status, (await response.text()).slice(0, 200)];
  } catch (error) {
    told[name] = ["failed", 0, String(error)];
  }
}
(async () => {
  await attempt("control", "/control");
  for (const [index, call] of CALLS.entries()) {
    const [method, path, body, headers] = call;
    const options = {method, headers};
    if (body) options.body = body;
    await attempt(`cors ${index}`, "ENDPOINT" + path, options);
    const plain = {method, mode: "no-cors", headers: {"content-type": "text/plain"}};
    if (body) plain.body = body;
    await attempt(`no-cors ${index}`, "ENDPOINT" + path, plain);
  }
  const form = document.createElement("form");
  form.method = "post";
  form.action = "ENDPOINT/_ministack/reset";
  form.target = "frame";
  document.body.append(form);
  form.submit();
  await new Promise((done) => setTimeout(done, 1000));
  await fetch("/told", {method: "POST", body: JSON.stringify(told)});
})();
</script><iframe name="frame"></iframe>
"""


def chromium(folder: Path, *arguments: str) -> list[str]:
    """The command that opens a page without a window."""
    program = shutil.which("chromium")
    if not program:
        pytest.skip("there is no chromium, in which to open the attacker's page")
    return [
        *(program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *(f"--user-data-dir={folder}", *arguments),
    ]


@dataclass
class Site:
    """The attacker's web server: its address, what the page has told it, and whether it has."""

    url: str
    told: dict[str, list[Any]] = field(default_factory=dict)
    has_told: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def site(account: Account) -> Iterator[Site]:
    """A page that tries every door, on a server of its own."""
    calls = [
        [c.method, c.path, c.body.decode("latin-1") or None, c.headers]
        for c in DOORS
        if c.method not in ("HEAD", "OPTIONS")
    ]
    page = PAGE.replace("ENDPOINT", account.endpoint_url).replace("CALLS", json.dumps(calls))
    page = page.replace("BUCKET", BUCKET).replace("OBJECT", OBJECT)
    site = Site("")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"reached" if self.path == "/control" else page.encode()
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            site.told.update(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()
            site.has_told.set()

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        site.url = f"http://127.0.0.1:{server.server_port}/"
        yield site
        server.shutdown()


class TestAPageInABrowser:
    def test_it_gets_nothing(self, account: Account, site: Site, tmp_path: Path) -> None:
        command = chromium(tmp_path, "--remote-debugging-port=0", site.url)
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as browser:
            told = site.has_told.wait(120)
            browser.terminate()
        assert told, "the page did not come to its end"
        assert site.told.pop("control") == ["basic", 200, "reached"]
        assert len(site.told) > len(DOORS)
        closed = ("failed", "opaque")  # an opaque answer says nothing, not even its status
        assert [told for told in site.told.items() if told[1][0] not in closed] == []
        nothing_happened(account)

    def test_a_name_of_its_own_for_this_address_gets_nothing(
        self, account: Account, tmp_path: Path
    ) -> None:
        port = urlsplit(account.endpoint_url).port
        rebound = "--host-resolver-rules=MAP evil.example 127.0.0.1"
        url = f"http://evil.example:{port}/_ministack/health"
        command = chromium(tmp_path, "--dump-dom", rebound, url)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert f"is called 127.0.0.1:{port} and nothing else" in done.stdout

    @pytest.mark.parametrize(
        "header",
        [
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"sec-fetch-site": "same-origin"},
            {"host": "evil.example"},
            {"host": "images.s3.us-east-1.amazonaws.com"},
            {"host": "127.0.0.1"},
            {"host": "127.0.0.1:1"},
            {"host": "[::1]"},
            {"host": ""},
        ],
        ids=str,
    )
    def test_even_a_request_with_the_key_is_refused_from_there(
        self, account: Account, header: dict[str, str]
    ) -> None:
        for call in (Call("GET", f"/{BUCKET}/{OBJECT}"), Call("GET", "/_ministack/health")):
            sent = signed(account, call, account.key)
            assert answer(account, sent)[0] == 200
            status, body, headers = answer(
                account, replace(sent, headers={**sent.headers, **header})
            )
            assert (status, CONTENT in body) == (403, False)
            assert not [name for name in headers if name.startswith("access-control-")]

    def test_an_address_of_the_owner_s_own_is_as_good(self, account: Account) -> None:
        local = account.endpoint_url.replace("127.0.0.1", "localhost")
        key = account.key
        assert key.session.client("sts", endpoint_url=local).get_caller_identity()["Account"]


class TestTheOwner:
    """What the README tells its reader to do works, and nothing less would."""

    @pytest.fixture
    def environment(self, account: Account) -> dict[str, str]:
        inherited = {n: v for n, v in account.environment.items() if not n.startswith("AWS_")}
        return {
            **inherited,
            "AWS_ENDPOINT_URL": account.endpoint_url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_SHARED_CREDENTIALS_FILE": str(account.folder / "credentials"),
        }

    def test_modules_of_amazon_aws_find_the_key(
        self, account: Account, environment: dict[str, str]
    ) -> None:
        command = [
            str(Path(sys.executable).with_name("ansible")),
            *("localhost", "-m", "amazon.aws.s3_object_info"),
            *("-a", f"bucket_name={BUCKET} object_name={OBJECT}"),
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f'"content_length": {len(CONTENT)}' in done.stdout

    def test_sdks_find_the_key(self, environment: dict[str, str]) -> None:
        listing = f"boto3.client('s3').list_objects_v2(Bucket={BUCKET!r})"
        command = [sys.executable, "-c", f"import boto3; print({listing}['KeyCount'])"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert int(done.stdout) > 0, done.stderr

    def test_a_function_gets_the_key_by_its_environment(self, account: Account) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr(
                "index.py",
                "import boto3\n"
                "def handler(event, context):\n"
                f"    return boto3.client('s3').list_objects_v2(Bucket={BUCKET!r})['KeyCount']\n",
            )
        functions = account.client("lambda")
        functions.create_function(
            **{**CREATE_FUNCTION, "FunctionName": "asks", "Code": {"ZipFile": archive.getvalue()}}
        )
        try:
            said = functions.invoke(FunctionName="asks")["Payload"].read()
            assert int(said) > 0
        finally:
            functions.delete_function(FunctionName="asks")


REFUSED = [  # part of a container or of the task, and a part of Fargate's answer
    ({"privileged": True}, {}, "'privileged' setting be 'false'"),
    (
        {"linuxParameters": {"devices": [{"hostPath": "/dev/sda"}]}},
        {},
        "do not support devices",
    ),
    ({"linuxParameters": {"capabilities": {"add": ["SYS_ADMIN"]}}}, {}, "SYS_ADMIN"),
    ({"linuxParameters": {"capabilities": {"add": ["ALL"]}}}, {}, "ALL"),
    ({"dockerSecurityOptions": ["seccomp=unconfined"]}, {}, "dockerSecurityOptions"),
    ({}, {"volumes": [{"name": "root", "host": {"sourcePath": "/"}}]}, "sourcePath"),
    ({}, {"pidMode": "host"}, "pidMode 'host'"),
    ({}, {"ipcMode": "host"}, "ipcMode"),
]


def definition(container: dict[str, Any], task: dict[str, Any]) -> dict[str, Any]:
    """A task definition that wants something of the machine."""
    return {
        "family": "attack",
        "networkMode": "awsvpc",
        "containerDefinitions": [{"name": "only", "image": "own/image", **container}],
        **task,
    }


class TestATaskThatWantsTheMachine:
    @pytest.mark.parametrize(("container", "task", "answer"), REFUSED, ids=str)
    def test_fargate_does_not_take_it(
        self,
        account: Account,
        container: dict[str, Any],
        task: dict[str, Any],
        answer: str,
    ) -> None:
        size = {"requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512"}
        ecs = account.client("ecs")
        with pytest.raises(ClientError, match="ClientException") as refused:
            ecs.register_task_definition(**definition(container, task), **size)
        assert answer in str(refused.value)
        assert ecs.list_task_definitions()["taskDefinitionArns"] == []

    def test_a_stack_does_not_bring_it_in(self, account: Account) -> None:
        only = {"Name": "only", "Image": "own/image", "Privileged": "true"}
        properties = {
            "RequiresCompatibilities": ["FARGATE"],
            "NetworkMode": "awsvpc",
            "Cpu": "256",
            "Memory": "512",
            "ContainerDefinitions": [only],
        }
        task = {"Type": "AWS::ECS::TaskDefinition", "Properties": properties}
        cloudformation = account.client("cloudformation")
        cloudformation.create_stack(
            StackName="attack", TemplateBody=json.dumps({"Resources": {"Task": task}})
        )
        with pytest.raises(WaiterError):
            cloudformation.get_waiter("stack_create_complete").wait(
                StackName="attack", WaiterConfig={"Delay": 1}
            )
        events = cloudformation.describe_stack_events(StackName="attack")["StackEvents"]
        reasons = " ".join(event.get("ResourceStatusReason", "") for event in events)
        assert "'privileged' setting be 'false'" in reasons
        assert account.client("ecs").list_task_definitions()["taskDefinitionArns"] == []
