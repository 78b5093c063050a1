# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is added to MiniStack, in the order in which it is installed."""

from __future__ import annotations

from importlib import import_module

SUBJECTS = (
    "persistence",
    "registry_layers",
    "registry_scans",
    "registry_login",
    "lambda_worker",
    "template_cache",
    "template_urls",
    "parameter_checks",
    "template_checks",
    "events",
    "nested",
    "descriptions",
    "change_sets",
    "services_datasync",
    "services_scaling",
    "services_quotas",
    "services_key_pairs",
    "services_ec2",
    "services_secrets",
    "services_ecs",
    "file_systems",
    "types_ec2_network",
    "types_ec2_instance",
    "types_privatelink",
    "services_privatelink",
    "types_datasync",
    "types_scaling",
    "types_alarms",
    "types_backup",
    "types_buckets",
    "types_containers",
    "types_dns",
    "types_iam",
    "types_load_balancers",
    "types_logs",
    "types_waf",
    "attributes",
    "references",
    "replacement",
    "attribute_references",
    "drift",
)


def install() -> None:
    """Install every subject. Raises PatchError when one does not fit this MiniStack."""
    for subject in SUBJECTS:
        import_module(f"{__package__}.{subject}").install()
