# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The access key of an embedded AWS, and requests that are made with it."""

from __future__ import annotations

import configparser
import hashlib
import json
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

import boto3
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION = "us-east-1"


@dataclass(frozen=True)
class Key:
    """An access key."""

    identity: str
    secret: str

    @classmethod
    def of(cls, folder: Path) -> Key:
        """Read the key of the embedded AWS in a folder."""
        file = configparser.ConfigParser()
        file.read_string((folder / "credentials").read_text())
        default = file["default"]
        return cls(default["aws_access_key_id"], default["aws_secret_access_key"])

    @property
    def password(self) -> str:
        """What the registry and the names take from those who cannot sign."""
        return hashlib.sha256(f"{self.secret}/password".encode()).hexdigest()

    @property
    def session(self) -> boto3.Session:
        """A session of boto3."""
        return boto3.Session(self.identity, self.secret, region_name=REGION)

    def headers(
        self, method: str, url: str, body: bytes = b"", service: str = "execute-api"
    ) -> dict[str, str]:
        """Return the headers that sign a request."""
        address, _unused, query = url.partition("?")
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        request = AWSRequest(method, address, data=body, params=parameters)
        signer = S3SigV4Auth if service == "s3" else SigV4Auth
        signer(Credentials(self.identity, self.secret), service, REGION).add_auth(request)
        return dict(request.headers.items())

    def send(self, method: str, url: str, body: bytes = b"") -> bytes:
        """Send a signed request, which must succeed, and return the answer."""
        headers = self.headers(method, url, body)
        request = urllib.request.Request(url, body or None, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return bytes(answer.read())

    def addresses(self, endpoint_url: str) -> dict[str, str]:
        """Ask where the names of the AWS are on this machine's loopback network."""
        return dict(json.loads(self.send("GET", f"{endpoint_url}/_openpacs/names")))
