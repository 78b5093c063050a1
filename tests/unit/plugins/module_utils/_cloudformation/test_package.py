# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation.package import (
    Destination,
    Package,
    find_references,
    missing_artifacts,
    read_package,
    replace_references,
    upload_artifacts,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError
from moto import mock_aws

DESTINATION = Destination("artifacts", "cloudformation", "eu-west-1", "amazonaws.com")

ROOT = """\
# The root: \N{GREEK SMALL LETTER ALPHA} \N{GRINNING FACE}
Parameters:
  TemplateURL: {Type: String}
Resources:
  Network:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: nested/network.yaml  # one VPC
      Parameters:
        Cidr: !Ref Cidr
  Far:
    Type: "AWS::CloudFormation::Stack"
    Properties: {TemplateURL: 'https://example.s3.amazonaws.com/far.yaml'}
  Chosen:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: !Sub "https://${Bucket}.s3.amazonaws.com/x.yaml"
  Inline:
    Type: AWS::Lambda::Function
    Properties:
      Code:
        ZipFile: "pass"
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      Code: not/a/folder
"""
NETWORK = """\
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Code: ../../lambda/hello
      Handler: index.handler
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """cloudformation/root.yaml -> cloudformation/nested/network.yaml -> lambda/hello."""
    files = {
        "cloudformation/root.yaml": ROOT,
        "cloudformation/nested/network.yaml": NETWORK,
        "lambda/hello/index.py": "def handler(event, context): ...\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / "cloudformation/root.yaml"


def bodies(package: Package) -> dict[str, str]:
    return {
        artifact.source.name: artifact.body.decode(errors="replace")
        for artifact in package.artifacts
    }


class TestReadPackage:
    def test_children_come_before_their_parents(self, root: Path) -> None:
        package = read_package(root, DESTINATION)
        assert [artifact.source.name for artifact in package.artifacts] == [
            "hello",
            "network.yaml",
            "root.yaml",
        ]

    def test_only_the_reference_is_rewritten(self, root: Path) -> None:
        package = read_package(root, DESTINATION)
        network = package.artifacts[1]
        url = f"https://artifacts.s3.eu-west-1.amazonaws.com/{network.key}"
        assert bodies(package)["root.yaml"] == ROOT.replace("nested/network.yaml", f'"{url}"')

    def test_code_becomes_bucket_and_key(self, root: Path) -> None:
        package = read_package(root, DESTINATION)
        code = json.dumps({"S3Bucket": "artifacts", "S3Key": package.artifacts[0].key})
        assert bodies(package)["network.yaml"] == NETWORK.replace("../../lambda/hello", code)

    def test_keys_hold_name_and_sha256_of_the_content(self, root: Path) -> None:
        package = read_package(root, DESTINATION)
        names = ["hello.zip", "network.yaml", "root.yaml"]
        assert [artifact.key for artifact in package.artifacts] == [
            f"cloudformation/{hashlib.sha256(artifact.body).hexdigest()}/{name}"
            for artifact, name in zip(package.artifacts, names, strict=True)
        ]
        assert package.url.endswith(package.root.key)
        assert package.root.digest in package.url

    def test_change_deep_in_the_tree_changes_the_root_url(self, root: Path, tmp_path: Path) -> None:
        before = read_package(root, DESTINATION)
        (tmp_path / "lambda/hello/index.py").write_text("def handler(event, context): return 1\n")
        assert read_package(root, DESTINATION).url != before.url

    def test_same_content_elsewhere_has_the_same_url(self, root: Path, tmp_path: Path) -> None:
        before = read_package(root, DESTINATION)
        moved = tmp_path.rename(tmp_path.with_name("moved"))
        assert read_package(moved / "cloudformation/root.yaml", DESTINATION).url == before.url

    def test_no_prefix_means_no_leading_slash(self, root: Path) -> None:
        bare = Destination("artifacts", "", "eu-west-1", "amazonaws.com")
        package = read_package(root, bare)
        assert package.root.key == f"{package.root.digest}/root.yaml"

    def test_template_used_twice_is_one_object(self, root: Path) -> None:
        stack = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "leaf.yaml"}}
        root.with_name("leaf.yaml").write_text("Resources: {}\n")
        root.write_text(json.dumps({"Resources": {"One": stack, "Two": stack}}))
        assert len(read_package(root, DESTINATION).artifacts) == 2

    def test_json_stays_json(self, root: Path) -> None:
        (root.parent / "leaf.json").write_text('{"Resources": {}}')
        resources = {
            "Leaf": {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {"TemplateURL": "leaf.json"},
            },
            "Hello": {"Type": "AWS::Lambda::Function", "Properties": {"Code": "../lambda/hello"}},
        }
        root.write_text(json.dumps({"Resources": resources}, indent=2))
        package = read_package(root, DESTINATION)
        leaf, hello, uploaded = package.artifacts
        resources["Leaf"]["Properties"] = {"TemplateURL": DESTINATION.url(leaf.key)}
        resources["Hello"]["Properties"] = {"Code": {"S3Bucket": "artifacts", "S3Key": hello.key}}
        assert json.loads(uploaded.body) == {"Resources": resources}

    def test_block_scalar_keeps_its_line(self, root: Path) -> None:
        root.write_text(
            ROOT.replace("nested/network.yaml  # one VPC", ">-\n        nested/network.yaml")
        )
        package = read_package(root, DESTINATION)
        url = DESTINATION.url(package.artifacts[1].key)
        assert f'      TemplateURL: "{url}"\n      Parameters:\n' in bodies(package)["root.yaml"]

    def test_cycle_is_refused(self, root: Path) -> None:
        (root.parent / "nested/network.yaml").write_text(
            ROOT.replace("nested/network.yaml", "../root.yaml")
        )
        with pytest.raises(ModuleError, match=r"root\.yaml -> .*network\.yaml -> .*root\.yaml"):
            read_package(root, DESTINATION)

    @pytest.mark.parametrize(
        ("file", "text", "message"),
        [
            ("root.yaml", ROOT.replace("nested/n", "n"), "TemplateURL of Network .*no such file"),
            (
                "nested/network.yaml",
                NETWORK.replace("hello", "bye"),
                "Code of Function .*no such f",
            ),
            ("nested/network.yaml", "Resources: [", r"network\.yaml\. It is neither YAML nor JSON"),
        ],
    )
    def test_bad_input_is_named(self, root: Path, file: str, text: str, message: str) -> None:
        (root.parent / file).write_text(text)
        with pytest.raises(ModuleError, match=message):
            read_package(root, DESTINATION)

    def test_missing_root_is_named(self, root: Path) -> None:
        with pytest.raises(ModuleError, match=r"read the template .*none\.yaml"):
            read_package(root.with_name("none.yaml"), DESTINATION)


@pytest.mark.parametrize("text", ["Transform: X", "Resources: []", "Resources: {A: text}"])
def test_template_without_resources_has_no_references(text: str) -> None:
    assert find_references(text) == []


@pytest.mark.parametrize("text", ["", "just text", "[Resources]"])
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(ModuleError, match="not a mapping with the section Resources"):
        find_references(text)


@pytest.mark.parametrize("written", ["&url a.yaml", "!!str a.yaml", "&url !!str  'a.yaml' # here"])
def test_anchor_and_tag_of_a_reference_stay(written: str) -> None:
    properties = f"{{TemplateURL:\n {written}\n}}"
    text = f"Resources: {{A: {{Type: AWS::CloudFormation::Stack, Properties: {properties}}}}}"
    [reference] = find_references(text)
    assert reference.path == "a.yaml"
    replaced = replace_references(text, [reference], ["https://x"])
    assert written.partition("a.yaml")[0].rstrip("'") + '"https://x"' in replaced


def test_references_in_loops_are_found() -> None:
    text = """
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Stacks:
    - Name
    - [Ct, Mr]
    - "Of${Name}": {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: a.yaml}}
  Fn::ForEach::Nothing: []
"""
    assert [reference.path for reference in find_references(text)] == ["a.yaml"]


class TestUpload:
    @pytest.fixture(autouse=True)
    def aws(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        with mock_aws():
            yield

    @pytest.fixture
    def calls(self) -> list[str]:
        return []

    @pytest.fixture
    def client(self, calls: list[str]) -> Any:
        client = boto3.client("s3", region_name="eu-west-1")

        def note(model: Any, params: dict[str, Any], **_: Any) -> None:
            calls.append(f"{model.name} {params['url_path'].rsplit('/', 1)[-1]}")

        client.create_bucket(
            Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        client.meta.events.register("before-call.s3", note)
        return client

    def test_root_is_uploaded_last(self, root: Path, client: Any, calls: list[str]) -> None:
        package = read_package(root, DESTINATION)
        missing = missing_artifacts(client, package)
        upload_artifacts(client, "artifacts", missing, None)
        assert missing == list(package.artifacts)
        assert sorted(calls[-3:-1]) == ["PutObject hello.zip", "PutObject network.yaml"]
        assert calls[-1] == "PutObject root.yaml"

    def test_nothing_changed_costs_one_call(
        self, root: Path, client: Any, calls: list[str]
    ) -> None:
        package = read_package(root, DESTINATION)
        upload_artifacts(client, "artifacts", missing_artifacts(client, package), None)
        calls.clear()
        assert missing_artifacts(client, package) == []
        assert calls == ["HeadObject root.yaml"]

    def test_only_what_changed_is_uploaded(self, root: Path, client: Any) -> None:
        first = read_package(root, DESTINATION)
        upload_artifacts(client, "artifacts", missing_artifacts(client, first), None)
        root.write_text(ROOT + "# more\n", encoding="utf-8")
        second = read_package(root, DESTINATION)
        assert missing_artifacts(client, second) == [second.root]

    def test_interrupted_upload_is_completed(self, root: Path, client: Any) -> None:
        package = read_package(root, DESTINATION)
        upload_artifacts(client, "artifacts", [package.artifacts[0]], None)
        assert missing_artifacts(client, package) == list(package.artifacts[1:])

    def test_key_encrypts_the_objects(self, root: Path, client: Any) -> None:
        package = read_package(root, DESTINATION)
        upload_artifacts(client, "artifacts", [package.root], "alias/dicoogle")
        head = client.head_object(Bucket="artifacts", Key=package.root.key)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", "alias/dicoogle")

    def test_missing_bucket_is_planned_but_not_uploaded_to(self, root: Path, client: Any) -> None:
        package = read_package(root, Destination("nowhere", "", "eu-west-1", "amazonaws.com"))
        assert missing_artifacts(client, package) == list(package.artifacts)
        with pytest.raises(ModuleError, match=r"NoSuchBucket.* Create the bucket first\."):
            upload_artifacts(client, "nowhere", list(package.artifacts), None)
