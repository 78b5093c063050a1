# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EC2 key pairs with real keys, their type, fingerprint and tags, and AWS::EC2::KeyPair."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from ministack.core.responses import now_iso
from ministack.services import ec2
from ministack.services.cloudformation import provisioners

from openpacs_embedded.ec2_calls import call, select, set_tags
from openpacs_embedded.patching import replace_entry
from openpacs_embedded.types_registry import Attributes, Properties, ResourceType, register

PrivateKey = ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
PublicKey = ed25519.Ed25519PublicKey | rsa.RSAPublicKey
RSA_BITS = 2048


def _generate(key_type: str) -> PrivateKey:
    if key_type == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)


def _private_text(key: PrivateKey) -> str:
    """The private key as EC2 hands it out: PKCS #1 for RSA, OpenSSH for Ed25519."""
    rsa_key = isinstance(key, rsa.RSAPrivateKey)
    form = serialization.PrivateFormat
    return key.private_bytes(
        serialization.Encoding.PEM,
        form.TraditionalOpenSSL if rsa_key else form.OpenSSH,
        serialization.NoEncryption(),
    ).decode()


def _colons(digest: bytes) -> str:
    return ":".join(f"{byte:02x}" for byte in digest)


def _openssh(key: PublicKey) -> str:
    encoding, form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return key.public_bytes(encoding, form).decode()


def _imported_fingerprint(key: PublicKey) -> str:
    """MD5 of an RSA key's DER, SHA-256 of an Ed25519 key, as EC2 documents it."""
    if isinstance(key, rsa.RSAPublicKey):
        encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        return _colons(
            hashlib.md5(key.public_bytes(encoding, form), usedforsecurity=False).digest()
        )
    blob = base64.b64decode(_openssh(key).split()[1])
    return base64.b64encode(hashlib.sha256(blob).digest()).decode()


def _created_fingerprint(key: PrivateKey) -> str:
    """SHA-1 of an RSA key's PKCS #8 form, for Ed25519 the same as when imported."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return _imported_fingerprint(key.public_key())
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return _colons(hashlib.sha1(der, usedforsecurity=False).digest())


def _record(name: str, public: PublicKey, fingerprint: str) -> dict[str, str]:
    record = {
        "KeyName": name,
        "KeyFingerprint": fingerprint,
        "KeyPairId": f"key-{secrets.token_hex(9)[:17]}",
        "KeyType": "rsa" if isinstance(public, rsa.RSAPublicKey) else "ed25519",
        "PublicKey": _openssh(public),
        "CreateTime": now_iso(),
    }
    ec2._key_pairs[name] = record
    return record


def _element(record: dict[str, str], extra: str = "") -> str:
    return (
        f"<keyName>{escape(record['KeyName'])}</keyName>"
        f"<keyFingerprint>{record['KeyFingerprint']}</keyFingerprint>"
        f"<keyPairId>{record['KeyPairId']}</keyPairId>"
        f"<keyType>{record['KeyType']}</keyType>"
        f"<createTime>{record['CreateTime']}</createTime>"
        f"{ec2._tag_set_xml(record['KeyPairId'])}{extra}"
    )


def _public(record: dict[str, str]) -> str:
    return f"<publicKey>{record['PublicKey']}</publicKey>"


def _taken(name: str) -> Any:
    if name in ec2._key_pairs:
        message = f"The keypair '{escape(name)}' already exists."
        return ec2._error("InvalidKeyPair.Duplicate", message, 400)
    return None


def create_key_pair(_original: Any, params: dict[str, Any]) -> Any:
    name = ec2._p(params, "KeyName")
    if error := _taken(name):
        return error
    key = _generate(ec2._p(params, "KeyType") or "rsa")
    record = _record(name, key.public_key(), _created_fingerprint(key))
    ec2._parse_tag_specs(params, "key-pair", record["KeyPairId"])
    material = f"<keyMaterial>{_private_text(key)}</keyMaterial>"
    return ec2._xml(200, "CreateKeyPairResponse", _element(record, material))


def import_key_pair(_original: Any, params: dict[str, Any]) -> Any:
    name = ec2._p(params, "KeyName")
    if error := _taken(name):
        return error
    try:
        text = base64.b64decode(ec2._p(params, "PublicKeyMaterial"))
        public = serialization.load_ssh_public_key(text)
    except ValueError:
        return ec2._error("InvalidKey.Format", "Key is not in valid OpenSSH public key format", 400)
    if not isinstance(public, (rsa.RSAPublicKey, ed25519.Ed25519PublicKey)):
        return ec2._error("InvalidKey.Format", "Key is neither RSA nor ED25519", 400)
    record = _record(name, public, _imported_fingerprint(public))
    ec2._parse_tag_specs(params, "key-pair", record["KeyPairId"])
    return ec2._xml(200, "ImportKeyPairResponse", _element(record))


def delete_key_pair(_original: Any, params: dict[str, Any]) -> Any:
    name, key_id = ec2._p(params, "KeyName"), ec2._p(params, "KeyPairId")
    for record in list(ec2._key_pairs.values()):
        if name == record["KeyName"] or key_id == record["KeyPairId"]:
            ec2._key_pairs.pop(record["KeyName"], None)
            ec2._tags.pop(record["KeyPairId"], None)
    return ec2._xml(200, "DeleteKeyPairResponse", "<return>true</return>")


def describe_key_pairs(_original: Any, params: dict[str, Any]) -> Any:
    names = ec2._parse_member_list(params, "KeyName")
    for name in names:
        if name not in ec2._key_pairs:
            message = f"The key pair '{escape(name)}' does not exist"
            return ec2._error("InvalidKeyPair.NotFound", message, 400)
    records = [r for r in ec2._key_pairs.values() if not names or r["KeyName"] in names]
    wanted = select(records, params, "KeyPairId", key_name="KeyName", key_type="KeyType")
    public = ec2._p(params, "IncludePublicKey") == "true"
    items = "".join(f"<item>{_element(r, _public(r) if public else '')}</item>" for r in wanted)
    return ec2._xml(200, "DescribeKeyPairsResponse", f"<keySet>{items}</keySet>")


# AWS::EC2::KeyPair. A generated private key goes to Parameter Store, as on AWS.


def _parameter_name(key_pair_id: str) -> str:
    return f"/ec2/keypair/{key_pair_id}"


def _create(_logical_id: str, props: Properties, _stack: str) -> tuple[str, Attributes]:
    name = props["KeyName"]
    if material := props.get("PublicKeyMaterial"):
        encoded = base64.b64encode(material.encode()).decode()
        answer = call("ImportKeyPair", KeyName=name, PublicKeyMaterial=encoded)
    else:
        answer = call("CreateKeyPair", KeyName=name, KeyType=props.get("KeyType"))
        parameter = {
            "Name": _parameter_name(answer.findtext("keyPairId")),
            "Type": "SecureString",
            "Value": answer.findtext("keyMaterial"),
        }
        provisioners._ssm._put_parameter(parameter)
    key_pair_id = answer.findtext("keyPairId")
    set_tags(key_pair_id, props.get("Tags"))
    fingerprint = answer.findtext("keyFingerprint")
    return name, {"KeyPairId": key_pair_id, "KeyFingerprint": fingerprint}


def _update(_physical_id: str, _old: Properties, _new: Properties) -> Attributes:
    raise ValueError("AWS::EC2::KeyPair has no property that can change in place")


def _delete(physical_id: str, _props: Properties) -> None:
    if record := ec2._key_pairs.get(physical_id):
        provisioners._ssm._delete_parameter({"Name": _parameter_name(record["KeyPairId"])})
        call("DeleteKeyPair", KeyName=physical_id)


def install() -> None:
    for action, function in (
        ("CreateKeyPair", create_key_pair),
        ("DeleteKeyPair", delete_key_pair),
        ("DescribeKeyPairs", describe_key_pairs),
        ("ImportKeyPair", import_key_pair),
    ):
        replace_entry(ec2._ACTION_MAP, action, function)
    register(
        "AWS::EC2::KeyPair",
        ResourceType(
            _create,
            _update,
            _delete,
            ("KeyFormat", "KeyName", "KeyType", "PublicKeyMaterial", "Tags"),
            tags=None,
        ),
    )
