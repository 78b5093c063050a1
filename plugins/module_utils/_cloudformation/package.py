# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A template with all that it refers to, as objects named by their content. Private.

Local references are replaced in the template's text, in place, so that the uploaded template keeps
its comments and layout:

* TemplateURL of an AWS::CloudFormation::Stack: path of a template, replaced by its URL;
* Code of an AWS::Lambda::Function: path of a folder, replaced by bucket and key of its archive.

Paths are relative to the template that names them. The key of an object holds the SHA-256 of its
content, and a parent's content holds the keys of its children: the root's key stands for the tree.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

with suppress(ImportError):  # the module reports a missing PyYAML
    import yaml

    YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C: ten times as fast

with suppress(ImportError):  # AnsibleAWSModule reports a missing boto3
    from botocore.exceptions import ClientError

from .._aws import attempt, error_code, in_threads
from .._errors import ModuleError, using_files
from .template import NESTED_STACK, read_text
from .zip import zip_folder

FUNCTION = "AWS::Lambda::Function"
PROPERTIES = re.compile(r"\A(?:[&!]\S*\s+)*")  # anchor and tag, which stand before a node of YAML
LOCAL_PROPERTIES = {NESTED_STACK: "TemplateURL", FUNCTION: "Code"}


@dataclass(frozen=True)
class Destination:
    """Where the objects go.

    dns_suffix: of the partition, such as amazonaws.com.
    """

    bucket: str
    prefix: str
    region: str
    dns_suffix: str

    def url(self, key: str) -> str:
        """Return the virtual-hosted URL that CloudFormation reads a template from."""
        return f"https://{self.bucket}.s3.{self.region}.{self.dns_suffix}/{quote(key)}"


@dataclass(frozen=True)
class Artifact:
    """One object to be.

    source: the file or folder it comes from.
    digest: SHA-256 of the content, hexadecimal; part of the key.
    """

    key: str
    source: Path
    digest: str
    body: bytes


@dataclass(frozen=True)
class Package:
    """A root template and all that it needs, children before their parents, the root last."""

    destination: Destination
    artifacts: tuple[Artifact, ...]

    @property
    def root(self) -> Artifact:
        """The root template."""
        return self.artifacts[-1]

    @property
    def url(self) -> str:
        """The URL of the root template."""
        return self.destination.url(self.root.key)


@dataclass(frozen=True)
class Reference:
    """A property whose value is a local path, and where in the text (in characters) it stands."""

    resource: str
    type: str
    path: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"{LOCAL_PROPERTIES[self.type]} of {self.resource}"


def read_package(template: Path, destination: Destination) -> Package:
    """Read a root template and all it refers to, at any depth, without any call to AWS.

    Raises ModuleError for what is missing, cannot be parsed, or refers to itself.
    """
    reader = _Reader(destination)
    with using_files(f"read the template {template}"):
        path = template.resolve()
    reader.template(path, ())
    return Package(destination, tuple(reader.artifacts.values()))


def missing_artifacts(client: Any, package: Package) -> list[Artifact]:
    """Return what S3 does not hold yet, the root last.

    The root is uploaded after everything else, so one call is enough where it exists.
    """

    def is_missing(artifact: Artifact) -> bool:
        return not object_exists(client, package.destination.bucket, artifact.key)

    if not is_missing(package.root):
        return []
    children = package.artifacts[:-1]
    absent = in_threads(is_missing, children)
    return [child for child, gone in zip(children, absent, strict=True) if gone] + [package.root]


def upload_artifacts(
    client: Any, bucket: str, artifacts: list[Artifact], kms_key_id: str | None
) -> None:
    """Upload side by side, the last one (the root) after all others have arrived."""
    encryption = (
        {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id} if kms_key_id else {}
    )

    def put(artifact: Artifact) -> None:
        put_object(client, bucket, artifact, encryption)

    in_threads(put, artifacts[:-1])
    in_threads(put, artifacts[-1:])


def object_exists(client: Any, bucket: str, key: str) -> bool:
    """Tell whether the bucket holds the key; False too when there is no such bucket yet."""
    hints = {
        "301": "Give the region of the bucket.",
        "403": "Allow s3:GetObject and s3:ListBucket on this bucket, or check its name.",
    }
    with attempt(f"look up {key} in the bucket {bucket}", hints):
        try:
            client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error_code(error) in {"404", "NoSuchBucket", "NoSuchKey"}:
                return False
            raise
    return True


def put_object(client: Any, bucket: str, artifact: Artifact, encryption: dict[str, str]) -> None:
    """Upload one object."""
    hints = {
        "NoSuchBucket": "Create the bucket first.",
        "AccessDenied": "Allow s3:PutObject on this bucket and kms:GenerateDataKey on its key.",
    }
    with attempt(f"upload {artifact.source} to the bucket {bucket}", hints):
        client.put_object(Bucket=bucket, Key=artifact.key, Body=artifact.body, **encryption)


def find_references(text: str) -> list[Reference]:
    """Return the local references of a template in YAML or JSON, in the order of the text.

    Raises ModuleError for a text that is neither. Values that are intrinsic functions or URLs are
    no local references.
    """
    try:
        root = yaml.compose(text, Loader=YAML_LOADER)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ModuleError(f"It is neither YAML nor JSON: {reason}.") from error
    if not isinstance(root, yaml.MappingNode):
        raise ModuleError("It is not a mapping with the section Resources.")
    found = {reference.start: reference for reference in _references(text, root)}
    return [found[start] for start in sorted(found)]


def replace_references(text: str, references: list[Reference], values: list[Any]) -> str:
    """Return the text with the references, in the order of the text, replaced by the values.

    The values are written as JSON, which is YAML too.
    """
    parts, position = [], 0
    for reference, value in zip(references, values, strict=True):
        parts += [text[position : reference.start], json.dumps(value, ensure_ascii=False)]
        position = reference.end
    return "".join([*parts, text[position:]])


def _references(text: str, root: Any) -> Iterator[Reference]:
    for name, resource in _resources(_member(root, "Resources")):
        kind = str(getattr(_member(resource, "Type"), "value", ""))
        if kind not in LOCAL_PROPERTIES:
            continue
        value = _member(_member(resource, "Properties"), LOCAL_PROPERTIES[kind])
        if getattr(value, "tag", None) == "tag:yaml.org,2002:str" and "://" not in value.value:
            start, end = value.start_mark.index, value.end_mark.index
            written = PROPERTIES.sub("", text[start:end])
            start = end - len(written)
            yield Reference(name, kind, value.value, start, start + len(written.rstrip()))


def _resources(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield the resources of a section, and those in its loops, by logical id."""
    for name, value in _members(node):
        if name.startswith("Fn::ForEach") and isinstance(value, yaml.SequenceNode):
            yield from _resources(value.value[-1] if value.value else None)
        else:
            yield name, value


def _members(node: Any) -> list[tuple[str, Any]]:
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(key.value, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]


def _member(node: Any, name: str) -> Any:
    return dict(_members(node)).get(name)


class _Reader:
    """Collects artifacts depth first; a template or folder used twice becomes one artifact."""

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self.artifacts: dict[Path, Artifact] = {}

    def template(self, path: Path, parents: tuple[Path, ...]) -> Artifact:
        """Return the template at an absolute path, its references replaced."""
        if path in parents:
            chain = " -> ".join(str(link) for link in (*parents[parents.index(path) :], path))
            raise ModuleError(f"Templates nest themselves: {chain}. Break the cycle.")
        if path not in self.artifacts:
            text = read_text(path)
            try:
                references = find_references(text)
            except ModuleError as error:
                raise ModuleError(f"Failed to read the template {path}. {error}") from error
            values = [self._value(reference, path, parents) for reference in references]
            self._add(path, path.name, replace_references(text, references, values).encode())
        return self.artifacts[path]

    def _value(self, reference: Reference, template: Path, parents: tuple[Path, ...]) -> Any:
        with using_files(f"follow {reference} in {template} to {reference.path}"):
            path = (template.parent / reference.path).resolve()
            is_file, is_folder = path.is_file(), path.is_dir()
        if reference.type == NESTED_STACK:
            if not is_file:
                raise ModuleError(
                    f"{reference} in {template} names the template {path}: no such file."
                )
            return self.destination.url(self.template(path, (*parents, template)).key)
        if not is_folder:
            raise ModuleError(f"{reference} in {template} names the folder {path}: no such folder.")
        return {"S3Bucket": self.destination.bucket, "S3Key": self._archive(path).key}

    def _archive(self, folder: Path) -> Artifact:
        if folder not in self.artifacts:
            with using_files(f"read the function's folder {folder}"):
                archive = zip_folder(folder)
            self._add(folder, f"{folder.name}.zip", archive)
        return self.artifacts[folder]

    def _add(self, source: Path, name: str, body: bytes) -> None:
        digest = hashlib.sha256(body).hexdigest()
        key = "/".join(filter(None, (self.destination.prefix.strip("/"), digest, name)))
        self.artifacts[source] = Artifact(key, source, digest, body)
