# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an account of AWS does that shows on the first run only; docs/aws.md tells the user."""

from __future__ import annotations

from typing import Any

from support.cloudformation_templates import (
    NESTED,
    TEMPLATES,
    documents,
    leaves,
    properties,
    resources,
)


def depends_on(resource: dict[str, Any]) -> list[str]:
    """The logical ids that a resource names as its dependencies, beside those it refers to."""
    named = resource.get("DependsOn", [])
    return [named] if isinstance(named, str) else list(named)


def test_outputs_of_other_stacks_are_given_to_parameters_that_aws_does_not_look_up() -> None:
    """A change set has placeholders for outputs, which AWS would look for in the account."""
    looked_up = {
        f"{name}.{parameter}": declaration["Type"]
        for name in {nested["Properties"]["TemplateURL"] for nested in NESTED.values()}
        for parameter, declaration in TEMPLATES[name.removesuffix(".template")][
            "Parameters"
        ].items()
        if declaration["Type"] not in ("String", "Number", "CommaDelimitedList")
    }
    assert looked_up == {}


def test_services_get_a_role_some_time_after_it_was_made() -> None:
    """IAM tells the services of a new role within about a minute."""
    (selection,) = resources("AWS::Backup::BackupSelection").values()
    assert depends_on(selection)
    (bucket,) = resources("AWS::DataSync::LocationS3").values()
    assert "FileSystemLocation" in depends_on(bucket)


def test_an_endpoint_is_made_when_its_account_may_connect() -> None:
    name = properties("AWS::EC2::VPCEndpoint")["privatelink.Endpoint"]["ServiceName"]
    assert any("${ServicePermissions}" in str(leaf) for leaf in leaves(name))


def test_load_balancers_of_govcloud_write_their_log_from_accounts_of_their_own() -> None:
    (statement,) = [
        statement
        for policy in properties("AWS::S3::BucketPolicy").values()
        for document in documents(policy)
        for statement in document["Statement"]
        if statement["Sid"] == "LoadBalancersOfThisAccount"
    ]
    assert statement["Principal"]["Service"] == "logdelivery.elasticloadbalancing.amazonaws.com"
    condition, accounts, otherwise = statement["Principal"]["AWS"]["Fn::If"]
    assert condition == "IsGovCloud"
    assert [account["Fn::Sub"] for account in accounts] == [
        "arn:${AWS::Partition}:iam::048591011584:root",
        "arn:${AWS::Partition}:iam::190560391635:root",
    ]
    assert otherwise == {"Ref": "AWS::NoValue"}


def test_people_of_govcloud_sign_in_at_the_fips_domain() -> None:
    domain = TEMPLATES["cognito"]["Outputs"]["UserPoolDomain"]
    condition, govcloud, otherwise = domain["Value"]["Fn::If"]
    assert condition == "IsGovCloud"
    assert govcloud == {"Fn::Sub": "${UserPoolDomain}.auth-fips.${AWS::Region}.amazoncognito.com"}
    assert otherwise == {"Fn::Sub": "${UserPoolDomain}.auth.${AWS::Region}.amazoncognito.com"}
