# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every module that talks to AWS needs. Private to this collection."""

from __future__ import annotations

import http
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

with suppress(ImportError):  # AnsibleAWSModule reports a missing boto3
    from boto3.session import Session
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.loaders import Loader

from ._errors import ModuleError

Item = TypeVar("Item")
Result = TypeVar("Result")

THREADS = 10  # botocore keeps ten connections per client

SIGN_IN_AGAIN = "The session has expired: sign in again, for example with 'aws sso login'."
NOT_AWS = (
    "Something else than AWS has answered, such as a proxy or a sign-in page: set NO_PROXY, or "
    "correct the option endpoint_url."
)
SET_THE_CLOCK = "Set the clock of this machine: AWS refuses what is five minutes off."
HINTS = {
    "NoCredentialsError": "Set the option profile, or access_key and secret_key, or sign in.",
    "ProfileNotFound": "Correct the option profile: 'aws configure list-profiles' tells which "
    "there are.",
    "EndpointConnectionError": "Check the region's name, the network, and the option endpoint_url.",
    "ProxyConnectionError": "Correct HTTPS_PROXY or, where there is a direct way, set NO_PROXY.",
    "ExpiredToken": SIGN_IN_AGAIN,
    "ExpiredTokenException": SIGN_IN_AGAIN,
    "InvalidSignatureException": SET_THE_CLOCK,
    "RequestExpired": SIGN_IN_AGAIN,
    "RequestTimeTooSkewed": SET_THE_CLOCK,
    "SSOTokenLoadError": SIGN_IN_AGAIN,
    "UnauthorizedSSOTokenError": SIGN_IN_AGAIN,
    "EOFError": "Get a session outside, for example with 'aws sts get-session-token', and give it "
    "by access_key, secret_key and session_token.",
}
LONGEST_REASON = 500  # characters; a page in the place of an answer may have thousands


class AnswerError(ModuleError):
    """What was answered is nothing that AWS answers."""

    def __init__(self, operation: str, sentence: str) -> None:
        super().__init__(f"The answer to {operation} {sentence}. {NOT_AWS}")


class Answer(dict[str, Any]):
    """A part of an answer, which says so when something in it is missing."""

    def __init__(self, operation: str, members: Mapping[str, Any]) -> None:
        super().__init__({name: _answer(operation, value) for name, value in members.items()})
        self._operation = operation

    def __missing__(self, name: str) -> None:
        raise AnswerError(self._operation, f"has no {name}")


def _answer(operation: str, value: Any) -> Any:
    if isinstance(value, dict):
        return Answer(operation, value)
    if isinstance(value, list):
        return [_answer(operation, each) for each in value]
    return value


def _check_answer(parsed: dict[str, Any], model: Any, **_rest: Any) -> None:
    """Refuse an empty answer where there is something to tell, and guard what is in the others."""
    if "Error" in parsed:  # becomes a ClientError
        return
    no_content = (
        parsed.get("ResponseMetadata", {}).get("HTTPStatusCode") == http.HTTPStatus.NO_CONTENT
    )
    tells = bool(model.output_shape and model.output_shape.members) and not no_content
    if tells and parsed.keys() <= {"ResponseMetadata"}:
        raise AnswerError(model.name, "is empty")
    parsed.update(Answer(model.name, parsed))


def build_client(module: Any, service: str) -> Any:
    """Return boto3's client of a service, as the module's options ask for.

    Raises ModuleError: the profile or the region is not known, or the options do not fit.
    """
    with attempt(f"make a client of AWS's service {service}"):
        Session(profile_name=module.params["profile"] or None)
    if not module.region:
        raise ModuleError("No region is known. Set the option region, or AWS_REGION.")
    with attempt(f"make a client of AWS's service {service}"):
        client = module.client(service)
    client.meta.events.register("after-call", _check_answer)
    return client


DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


def error_code(error: Exception) -> str:
    """Return the service's error code, such as AccessDenied, or else the class of the error."""
    response = getattr(error, "response", None) or {}  # other errors have an empty one
    return response.get("Error", {}).get("Code") or type(error).__name__


@contextmanager
def attempt(action: str, hints: Mapping[str, str] | None = None) -> Iterator[None]:
    """Turn whatever goes wrong with a call into a ModuleError.

    action: lower-case verb phrase that names the resource, such as "upload a.yaml to bucket b".
    hints: error code -> sentence that says what to do next.
    """
    try:
        yield
    except AnswerError as error:
        raise ModuleError(f"Failed to {action}: {error}") from None
    except ModuleError:
        raise
    except Exception as error:  # botocore sets no limit to what an odd answer raises
        hint = {**HINTS, **(hints or {})}.get(error_code(error), _general_hint(error))
        raise ModuleError(f"Failed to {action}: {_reason(error)}. {hint}".rstrip()) from error


def _reason(error: Exception) -> str:
    if isinstance(error, BotoCoreError | ClientError):
        reason = " ".join(str(error).split()).rstrip(".")
        return reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]}..."
    if isinstance(error, EOFError):
        return "the profile asks for a code (mfa_serial), and a module has no terminal"
    if isinstance(error, UnicodeError):
        return "an option holds what is no character"
    return f"the answer has no {error}" if isinstance(error, KeyError) else "no answer can be read"


def _general_hint(error: Exception) -> str:
    """Say what to allow where a call was denied, and whose answer one without AWS's code is."""
    if isinstance(error, ClientError):
        if error_code(error) in DENIED:
            return f"Allow the action {error.operation_name}."
        return NOT_AWS if error_code(error).isdigit() else ""
    return "" if isinstance(error, BotoCoreError | UnicodeError) else NOT_AWS


def dns_suffix(partition: str) -> str:
    """Return the DNS suffix of a partition, such as amazonaws.com, from botocore's own data.

    Raises ModuleError: botocore does not know the partition.
    """
    partitions = Loader().load_data("partitions")["partitions"]
    known = {item["id"]: item["outputs"]["dnsSuffix"] for item in partitions}
    if partition not in known:
        raise ModuleError(
            f"AWS's partition '{partition}' is not one of {', '.join(known)}. Update botocore."
        )
    return known[partition]


def cli_options(region: str | None, options: Mapping[str, Any]) -> str:
    """Return the options with which an AWS command goes where the module goes."""
    given = {
        "--region": region,
        "--profile": options["profile"],
        "--endpoint-url": options["endpoint_url"],
    }
    return " ".join(f"{option} {shlex.quote(value)}" for option, value in given.items() if value)


def in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Call the function on all items side by side; results in the items' order."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(function, items))
