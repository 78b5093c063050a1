# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every module that talks to AWS needs. Private to this collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TypeVar

with suppress(ImportError):  # AnsibleAWSModule reports a missing boto3
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.loaders import Loader

from ._errors import ModuleError

Item = TypeVar("Item")
Result = TypeVar("Result")

THREADS = 10  # botocore keeps ten connections per client

SIGN_IN_AGAIN = "The session has expired: sign in again, for example with 'aws sso login'."
HINTS = {
    "NoCredentialsError": "Set the option profile, or access_key and secret_key, or sign in.",
    "EndpointConnectionError": "Check the region's name, the network, and the option endpoint_url.",
    "ExpiredToken": SIGN_IN_AGAIN,
    "ExpiredTokenException": SIGN_IN_AGAIN,
    "RequestExpired": SIGN_IN_AGAIN,
    "SSOTokenLoadError": SIGN_IN_AGAIN,
    "UnauthorizedSSOTokenError": SIGN_IN_AGAIN,
}


def error_code(error: Exception) -> str:
    """Return the service's error code, such as AccessDenied, or else the class of the error."""
    return getattr(error, "response", {}).get("Error", {}).get("Code") or type(error).__name__


@contextmanager
def attempt(action: str, hints: Mapping[str, str] | None = None) -> Iterator[None]:
    """Turn an AWS error into a ModuleError.

    action: lower-case verb phrase that names the resource, such as "upload a.yaml to bucket b".
    hints: error code -> sentence that says what to do next.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        reason = str(error).rstrip(".")
        hint = {**HINTS, **(hints or {})}.get(error_code(error), "")
        raise ModuleError(f"Failed to {action}: {reason}. {hint}".rstrip()) from error


def dns_suffix(partition: str) -> str:
    """Return the DNS suffix of a partition, such as amazonaws.com, from botocore's own data."""
    partitions = Loader().load_data("partitions")["partitions"]
    return next(item["outputs"]["dnsSuffix"] for item in partitions if item["id"] == partition)


def in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Call the function on all items side by side; results in the items' order."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(function, items))
