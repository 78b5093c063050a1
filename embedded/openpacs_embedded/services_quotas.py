# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Service Quotas: the quotas that a deployment can meet, with Amazon's defaults."""

from __future__ import annotations

from typing import Any

from ministack.core.responses import get_account_id, get_region

from openpacs_embedded.services_registry import JsonService, ServiceError, register

Data = dict[str, Any]

QUOTAS = {  # (service, quota code) -> (name of the service, name of the quota, default)
    ("ec2", "L-0263D0A3"): ("Amazon Elastic Compute Cloud (Amazon EC2)", "EC2-VPC Elastic IPs", 5),
    ("vpc", "L-A4707A72"): (
        "Amazon Virtual Private Cloud (Amazon VPC)",
        "Internet gateways per Region",
        5,
    ),
    ("vpc", "L-F678F1CE"): ("Amazon Virtual Private Cloud (Amazon VPC)", "VPCs per Region", 5),
}


def _quota(service: str, code: str) -> Data:
    service_name, name, value = QUOTAS[service, code]
    return {
        "ServiceCode": service,
        "ServiceName": service_name,
        "QuotaArn": f"arn:aws:servicequotas:{get_region()}:{get_account_id()}:{service}/{code}",
        "QuotaCode": code,
        "QuotaName": name,
        "Value": float(value),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }


def get_quota(data: Data) -> Data:
    if (data["ServiceCode"], data["QuotaCode"]) not in QUOTAS:
        raise ServiceError(
            "NoSuchResourceException",
            "The request failed because the quota "
            f"{data['ServiceCode']}/{data['QuotaCode']} does not exist.",
        )
    return {"Quota": _quota(data["ServiceCode"], data["QuotaCode"])}


def list_quotas(data: Data) -> Data:
    return {"Quotas": [_quota(s, code) for s, code in QUOTAS if s == data["ServiceCode"]]}


SERVICE = JsonService(
    name="servicequotas",
    target="ServiceQuotasV20190624",
    actions={
        "GetAWSDefaultServiceQuota": get_quota,
        "GetServiceQuota": get_quota,
        "ListAWSDefaultServiceQuotas": list_quotas,
        "ListServiceQuotas": list_quotas,
    },
)


def install() -> None:
    register(SERVICE)
