# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `site.yml` deployed answers as a hospital expects, and nobody else gets in.

Dicoogle is its double; the tunnels, nginx, the images, the keeper and the certificates are real.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.echo import echo
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.errors import DicomError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.files import read_file
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.move import Selection, move
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import Peer
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.query import find
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.store import store
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from peers import peer_at
from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid
from support import CHECKOUT
from support.deployment import DOMAIN, Deployment
from support.dicom_certificates import Authority, Holder
from support.dicom_fixtures import sample

OUTPUT = CHECKOUT / "tests" / "output"
SERVICES = pytest.mark.parametrize("service", ["storage", "query"])
Dcmtk = Callable[..., str]
INDEXED_WITHIN = 20.0  # seconds, as Dicoogle answers before it indexes


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Return an image that no other test sends."""
    return write(tmp_path / "image.dcm", new_image())


def new_image() -> Dataset:
    dataset = dcmread(sample("CT_small.dcm"))
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, keyword, generate_uid())
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def write(path: Path, dataset: Dataset) -> Path:
    dataset.save_as(path)
    return path


def images_of(query: Peer, dataset: Dataset, expected: int = 1) -> int:
    """Return how many images of the study are found, soon after they were stored."""
    wanted = {
        "StudyInstanceUID": str(dataset.StudyInstanceUID),
        "SeriesInstanceUID": str(dataset.SeriesInstanceUID),
    }
    deadline = time.monotonic() + INDEXED_WITHIN
    while (found := len(find(query, "image", wanted, None).matches)) < expected:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return found


class TestTask:
    def test_it_runs_what_was_pushed(self, deployment: Deployment) -> None:
        ecr, ecs = deployment.client("ecr"), deployment.client("ecs")
        wanted = {
            container["name"]: container["image"].partition("@")[2]
            for container in ecs.describe_task_definition(
                taskDefinition=deployment.outputs["TaskDefinitionArn"]
            )["taskDefinition"]["containerDefinitions"]
        }
        pushed = {
            image["imageDigest"]: image["imageSizeInBytes"]
            for repository in ecr.describe_repositories()["repositories"]
            for image in ecr.describe_images(repositoryName=repository["repositoryName"])[
                "imageDetails"
            ]
        }
        running = {each["name"]: each["imageDigest"] for each in deployment.task()["containers"]}
        assert len(wanted) == 5
        assert running == wanted
        assert all(pushed[digest] > 10_000_000 for digest in wanted.values())

    def test_what_dicoogle_says_is_in_the_log_group(self, deployment: Deployment) -> None:
        logs, group = deployment.client("logs"), deployment.outputs["LogGroupName"]
        events = logs.filter_log_events(logGroupName=group, filterPattern="DicoogleWeb")["events"]
        assert any("Dicoogle Web Services available" in event["message"] for event in events)

    def test_plain_ports_are_reachable_from_nowhere(self, deployment: Deployment) -> None:
        for address in {"127.0.0.1", *deployment.addresses.values()}:
            for port in (6666, 1045, 8080):
                with pytest.raises(OSError, match="refused"):
                    socket.create_connection((address, port), timeout=5)

    def test_the_second_run_changes_nothing_and_needs_no_engine(
        self, deployment: Deployment
    ) -> None:
        assert deployment.play("site", engine=False).changed == 0


def test_verify_passes_and_leaves_the_archive_as_it_was(
    deployment: Deployment, query: Peer
) -> None:
    everything = {"StudyInstanceUID": ""}
    before = find(query, "study", everything, None).matches
    run = deployment.play("verify")
    for line in ("C-ECHO storage", "C-ECHO query", "web page", "C-STORE", "C-FIND", "C-MOVE"):
        assert line in run.output
    assert "1 arrived, same picture" in run.output
    assert "left in the archive: nothing new" in run.output
    assert find(query, "study", everything, None).matches == before


def test_reindex_finds_what_was_restored_beside_the_archive(
    deployment: Deployment, query: Peer
) -> None:
    restored = new_image()
    folder = deployment.images / "restored"
    folder.mkdir()
    write(folder / "image.dcm", restored)
    assert images_of(query, restored, 0) == 0
    run = deployment.play("reindex", dicoogle_reindex_path="/data/images/restored")
    assert "/data/images/restored: 1 folders, 1 images indexed, 0 errors" in " ".join(
        run.output.split()
    )
    assert images_of(query, restored) == 1


def test_dcmtk_stores_finds_and_moves(
    query: Peer,
    storage_port: int,
    query_port: int,
    received: tuple[Path, subprocess.Popen[bytes]],
    image: Path,
    run_dcmtk: Dcmtk,
) -> None:
    sent = dcmread(image)
    study = [
        "-S",
        "-k",
        "QueryRetrieveLevel=STUDY",
        "-k",
        f"StudyInstanceUID={sent.StudyInstanceUID}",
    ]
    run_dcmtk("echoscu", storage_port)
    run_dcmtk("echoscu", query_port)
    run_dcmtk("storescu", storage_port, str(image))
    assert images_of(query, sent) == 1
    assert f"[{sent.StudyInstanceUID}]" in run_dcmtk(
        "findscu", query_port, "-k", "PatientID", *study
    )
    run_dcmtk("movescu", query_port, *study, "-aem", "STORESCP")
    (returned,) = received[0].glob(f"*{sent.SOPInstanceUID}")
    assert dcmread(returned).PixelData == sent.PixelData


class TestRefusals:
    """Each with the reason that our modules show, or the alert that OpenSSL shows."""

    @staticmethod
    def refusal(peer: Peer) -> str:
        with pytest.raises(DicomError) as caught:
            echo(peer)
        return str(caught.value.reason)

    @SERVICES
    def test_no_certificate(self, deployment: Deployment, service: str) -> None:
        peer = peer_at(deployment, getattr(deployment, service), None)
        assert self.refusal(peer) == "certificate_missing"

    @SERVICES
    def test_a_foreign_authority(
        self, deployment: Deployment, service: str, tmp_path: Path
    ) -> None:
        foreign_client = Authority(tmp_path / "foreign", "Foreign CA").issue(f"client.1.{DOMAIN}")
        peer = peer_at(deployment, getattr(deployment, service), foreign_client)
        assert self.refusal(peer) == "certificate_unknown_ca"

    @SERVICES
    def test_an_expired_certificate(
        self, deployment: Deployment, service: str, tmp_path: Path
    ) -> None:
        peer = peer_at(deployment, getattr(deployment, service), expired(deployment, tmp_path))
        assert self.refusal(peer) == "certificate_expired"

    @SERVICES
    def test_an_unlisted_name(self, deployment: Deployment, service: str) -> None:
        unlisted = deployment.holder("ghostunnel")
        peer = peer_at(deployment, getattr(deployment, service), unlisted)
        assert self.refusal(peer) == "certificate_rejected"

    @SERVICES
    def test_plain_tcp(self, deployment: Deployment, service: str) -> None:
        place = getattr(deployment, service)
        plain = replace(peer_at(deployment, place, None), tls=None)
        assert self.refusal(plain) == "tls_required"

    @SERVICES
    def test_another_called_ae_title(self, deployment: Deployment, service: str) -> None:
        peer = peer_at(deployment, getattr(deployment, service), deployment.holder("client"))
        assert self.refusal(replace(peer, called_ae_title="OTHER")) == "rejected_called_ae"

    @pytest.mark.parametrize("service", ["storage", "query", "web"])
    @pytest.mark.parametrize(
        ("version", "accepted"), [("tls1_1", False), ("tls1_2", True), ("tls1_3", True)]
    )
    def test_tls_versions(
        self, deployment: Deployment, service: str, version: str, accepted: bool
    ) -> None:
        client = deployment.holder("client")
        done = subprocess.run(
            [
                *("openssl", "s_client", f"-{version}", "-cipher", "ALL:@SECLEVEL=0"),
                *("-cert", str(client.certificate), "-key", str(client.private_key)),
                *("-CAfile", str(deployment.ca_bundle), "-verify_return_error"),
                *("-connect", str(getattr(deployment, service))),
            ],
            input=b"",
            capture_output=True,
            timeout=20,
            check=False,
        )
        assert (done.returncode == 0) is accepted, done.stderr
        assert (b"protocol version" in done.stderr) is not accepted


def expired(deployment: Deployment, folder: Path) -> Holder:
    """Return a certificate of the environment's own CA for the allowed client, too old."""
    ca = deployment.pki / "ca" / "1"
    passphrase = (deployment.pki / "ca-passphrase").read_bytes().strip()
    ca_key = serialization.load_pem_private_key((ca / "private_key.pem").read_bytes(), passphrase)
    issuer = x509.load_pem_x509_certificate((ca / "certificate.pem").read_bytes())
    client = deployment.holder("client")
    model = x509.load_pem_x509_certificate(client.certificate.read_bytes())
    end = datetime.now(UTC) - timedelta(hours=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(model.subject)
        .issuer_name(issuer.subject)
        .public_key(model.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=1))
        .not_valid_after(end)
    )
    for extension in model.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    certificate = folder / "expired.pem"
    certificate.write_bytes(
        builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    return replace(client, certificate=certificate)


class TestBadInput:
    """A clear error in bounded time, and nothing lost."""

    @pytest.fixture(autouse=True)
    def _answers_afterwards(self, storage: Peer, query: Peer) -> Iterator[None]:
        yield
        for service in (storage, query):
            assert echo(service)[0].text == "0x0000 Success"

    def test_bytes_that_are_no_dicom(self, storage_port: int) -> None:
        with socket.create_connection(("127.0.0.1", storage_port), timeout=30) as client:
            client.sendall(os.urandom(100_000))
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                pass

    def test_a_file_that_is_no_dicom_and_one_that_is_truncated(
        self, image: Path, tmp_path: Path
    ) -> None:
        text, half = tmp_path / "text.dcm", tmp_path / "half.dcm"
        text.write_text("not an image")
        half.write_bytes(image.read_bytes()[:20_000])
        for path, reason in ((text, "not_dicom"), (half, "truncated")):
            with pytest.raises(DicomError) as caught:
                read_file(path)
            assert caught.value.reason == reason
            assert str(path) in str(caught.value)

    def test_a_connection_that_breaks_in_the_middle_leaves_no_half_image(
        self,
        storage: Peer,
        query: Peer,
        storage_port: int,
        image: Path,
        raw_server: Callable[..., int],
        run_dcmtk: Dcmtk,
    ) -> None:
        assert image.stat().st_size > 30_000
        breaking = raw_server(lambda sender: pass_on(sender, storage_port, 20_000))
        sender = replace(storage, host="127.0.0.1", port=breaking, tls=None)
        (outcome,) = store(sender, [read_file(image)])
        assert not outcome.stored
        assert images_of(query, dcmread(image), 0) == 0
        run_dcmtk("storescu", storage_port, str(image))
        assert images_of(query, dcmread(image)) == 1

    def test_an_unsupported_sop_class(
        self, storage: Peer, query: Peer, image: Path, tmp_path: Path
    ) -> None:
        strange, fine = new_image(), dcmread(image)
        strange.SOPClassUID = strange.file_meta.MediaStorageSOPClassUID = "1.2.3.4.5"
        files = [read_file(write(tmp_path / "strange.dcm", strange)), read_file(image)]
        outcomes = {each.path: each for each in store(storage, files)}
        assert outcomes[image].stored
        refused = outcomes[tmp_path / "strange.dcm"].error
        assert refused is not None
        assert refused.reason == "unsupported_sop_class"
        assert (images_of(query, fine), images_of(query, strange, 0)) == (1, 0)

    def test_500_mb(self, storage: Peer, query: Peer, image: Path) -> None:
        sent = dcmread(image)
        (outcome,) = store(
            replace(storage, dimse_timeout=180.0), [read_file(huge(image, 500_000_000))]
        )
        assert outcome.stored, outcome.error
        assert images_of(query, sent) == 1

    def test_a_destination_that_hangs(
        self,
        storage: Peer,
        query: Peer,
        image: Path,
        received: tuple[Path, subprocess.Popen[bytes]],
    ) -> None:
        sent = dcmread(image)
        store(storage, [read_file(image)])
        assert images_of(query, sent) == 1
        selection = Selection(sent.StudyInstanceUID, None, None)
        received[1].send_signal(signal.SIGSTOP)
        try:
            begin = time.monotonic()
            with pytest.raises(DicomError) as caught:
                move(replace(query, dimse_timeout=5.0), selection, "STORESCP")
            assert time.monotonic() - begin < 20
        finally:
            received[1].send_signal(signal.SIGCONT)
        assert caught.value.reason == "timeout"
        assert images_of(query, sent) == 1

    def test_clients_that_say_nothing_keep_others_out_for_seconds_only(
        self, deployment: Deployment, storage_port: int, storage: Peer
    ) -> None:
        silent = [socket.create_connection(("127.0.0.1", storage_port)) for _unused in range(20)]
        deadline = time.monotonic() + 15
        while (problem := echo_problem(storage)) and time.monotonic() < deadline:
            assert problem == "rejected"  # transient, without a reason
            time.sleep(0.5)
        assert problem is None
        for client in silent:
            client.close()


def echo_problem(peer: Peer) -> str | None:
    """Return why a C-ECHO fails, None when it succeeds."""
    try:
        echo(peer)
    except DicomError as error:
        return str(error.reason)
    return None


def pass_on(sender: socket.socket, port: int, limit: int) -> None:
    """Pass on what the sender says to a port, and break both connections after so many bytes."""

    def pass_back() -> None:
        with contextlib.suppress(OSError):
            while data := receiver.recv(65536):
                sender.sendall(data)

    with sender, socket.create_connection(("127.0.0.1", port)) as receiver:
        threading.Thread(target=pass_back, daemon=True).start()
        while limit > 0:
            data = sender.recv(min(limit, 65536))
            receiver.sendall(data)
            limit -= len(data)
        for side in (sender, receiver):
            side.shutdown(socket.SHUT_RDWR)


def huge(path: Path, size: int) -> Path:
    """Give an image pixels of a size in bytes, as a hole in its file."""
    dataset = dcmread(path)
    dataset.PixelData = b""
    del dataset[0xFFFCFFFC:]
    dataset.save_as(path)
    with path.open("r+b") as stream:
        stream.seek(-4, os.SEEK_END)
        stream.write(size.to_bytes(4, "little"))
        stream.truncate(stream.tell() + size)
    return path


class TestWeb:
    @staticmethod
    def status(deployment: Deployment, path: str) -> int:
        context = ssl.create_default_context(cafile=str(deployment.ca_bundle))
        context.check_hostname = False  # what the load balancer is called is not in it
        try:
            with urllib.request.urlopen(f"https://{deployment.web}{path}", context=context) as page:
                return int(page.status)
        except urllib.error.HTTPError as error:
            return error.code

    @pytest.mark.parametrize("path", ["/healthz", "/readyz", "/"])
    def test_pages(self, deployment: Deployment, path: str) -> None:
        assert self.status(deployment, path) == 200

    @pytest.mark.parametrize("path", ["/management/tasks/remove", "/user", "/logger", "/legacy/x"])
    def test_what_dicoogle_leaves_open_is_blocked(self, deployment: Deployment, path: str) -> None:
        assert self.status(deployment, path) == 403

    @pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
    def test_a_browser_shows_it(self, deployment: Deployment, tmp_path: Path) -> None:
        OUTPUT.mkdir(exist_ok=True)
        screenshot = OUTPUT / "web.png"
        screenshot.unlink(missing_ok=True)
        certificate = x509.load_pem_x509_certificate(
            deployment.holder("nginx").certificate.read_bytes()
        )
        key = certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        pin = base64.b64encode(hashlib.sha256(key).digest()).decode()
        name = deployment.web.server_name
        done = subprocess.run(
            [
                *("chromium", "--headless", "--no-sandbox", "--disable-gpu"),
                *("--disable-dev-shm-usage", f"--user-data-dir={tmp_path}"),
                *("--window-size=1280,800", "--virtual-time-budget=10000"),
                *(f"--screenshot={screenshot}", "--dump-dom"),
                f"--host-resolver-rules=MAP {name} {deployment.web.host}",
                f"--ignore-certificate-errors-spki-list={pin}",
                f"https://{name}:{deployment.web.port}/",
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "<title>Dicoogle</title>" in done.stdout, done.stderr
        assert screenshot.stat().st_size > 5_000


def test_a_restart_of_the_embedded_aws_keeps_images_and_patients(
    deployment: Deployment, storage: Peer, query: Peer, image: Path
) -> None:
    assert [each.stored for each in store(storage, [read_file(image)])] == [True]
    digests = {each["name"]: each["imageDigest"] for each in deployment.task()["containers"]}

    deployment.play("embedded", dicoogle_embedded_state="stopped")
    deployment.play("embedded")
    deployment.await_task()

    again = {each["name"]: each["imageDigest"] for each in deployment.task()["containers"]}
    assert again == digests
    assert images_of(query, dcmread(image)) == 1
    assert deployment.play("site", engine=False).changed == 0


def test_a_lost_certificate_is_out_with_the_next_task(
    deployment: Deployment, tmp_path: Path
) -> None:
    lost = {}
    for name in ("client", "administrator"):
        holder = deployment.holder(name)
        folder = Path(shutil.copytree(holder.certificate.parent, tmp_path / name))
        lost[name] = Holder(name, folder / "certificate.pem", folder / "private_key.pem")
    thief = peer_at(deployment, deployment.storage, lost["client"])
    assert echo_problem(thief) is None
    seen: list[tuple[float, str | None]] = []
    over = threading.Event()

    def try_again_and_again() -> None:
        while not over.wait(0.5):
            seen.append((time.monotonic(), echo_problem(thief)))

    trying = threading.Thread(target=try_again_and_again)
    trying.start()
    begin = time.monotonic()
    try:
        deployment.play("site", pki_revoked=["client.1", "administrator.1"])
        ended = time.monotonic() - begin
        deployment.await_task()
        while echo_problem(peer_at(deployment, deployment.storage, deployment.holder("client"))):
            assert time.monotonic() < begin + 400
            time.sleep(0.5)
        restored = time.monotonic() - begin
        assert echo_problem(thief) == "certificate_rejected"
    finally:
        over.set()
        trying.join()
    last = max(when for when, problem in seen if problem is None) - begin
    print(f"let in until {last:.0f} s, site ended {ended:.0f} s, the new one at {restored:.0f} s")
    assert last < ended
