# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS::EC2::Instance: a record with the address, zone and groups that its template says."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from ministack.services import ec2, ecs

from openpacs_embedded.ec2_calls import call, refused, set_tags
from openpacs_embedded.types_registry import Attributes, Properties, ResourceType, register

RESERVED_ADDRESSES = 4  # the first four of a subnet are Amazon's; the last is the broadcast address


def _launch_template(props: Properties) -> dict[str, Any]:
    """The launch template's data, which the instance's own properties override."""
    reference = props.get("LaunchTemplate")
    if not reference:
        return {}
    names = {reference.get("LaunchTemplateId"), reference.get("LaunchTemplateName")} - {None}
    for template in ec2._launch_templates.values():
        if names & {template["LaunchTemplateId"], template["LaunchTemplateName"]}:
            return _version(template, str(reference["Version"]))["LaunchTemplateData"]
    raise refused(f"The launch template '{names.pop()}' does not exist")


def _version(template: dict[str, Any], wanted: str) -> dict[str, Any]:
    aliases = {
        "$Latest": str(template["LatestVersionNumber"]),
        "$Default": str(template["DefaultVersionNumber"]),
    }
    number = aliases.get(wanted, wanted)
    for version in template["Versions"]:
        if str(version["VersionNumber"]) == number:
            return version
    raise refused(f"Could not find the launch template version '{wanted}'")


def _launch_request(props: Properties) -> Properties:
    """The properties that decide about a launch, network interface and launch template resolved."""
    merged = {**_launch_template(props), **props}
    (interface, *_unused) = merged.get("NetworkInterfaces") or [{}]
    subnet_id = interface.get("SubnetId") or merged.get("SubnetId") or ec2._DEFAULT_SUBNET_ID
    subnet = ec2._subnets[subnet_id]
    public = interface.get("AssociatePublicIpAddress", subnet["MapPublicIpOnLaunch"])
    return {
        **merged,
        "SubnetId": subnet_id,
        "Groups": interface.get("GroupSet") or merged.get("SecurityGroupIds") or [],
        "PrivateIpAddress": interface.get("PrivateIpAddress")
        or merged.get("PrivateIpAddress")
        or free_address(subnet),
        "Public": str(public).lower() == "true",
    }


def free_address(subnet: dict[str, Any]) -> str:
    """The lowest address of the subnet that neither an instance nor a task has."""
    taken = {i["PrivateIpAddress"] for i in ec2._instances.values()}
    taken |= {ecs._task_ip(t) for t in ecs._tasks.values() if t["lastStatus"] != "STOPPED"}
    hosts = list(ip_network(subnet["CidrBlock"]).hosts())[RESERVED_ADDRESSES - 1 :]
    for host in hosts:
        if str(host) not in taken:
            return str(host)
    raise refused(f"There are not enough free addresses in subnet '{subnet['SubnetId']}'")


def _create(_logical_id: str, props: Properties, _stack: str) -> tuple[str, Attributes]:
    request = _launch_request(props)
    profile = request.get("IamInstanceProfile")
    if isinstance(profile, dict):  # so it is in a launch template
        profile = profile.get("Name") or profile["Arn"].rpartition("/")[2]
    answer = call(
        "RunInstances",
        MinCount=1,
        MaxCount=1,
        ImageId=request.get("ImageId"),
        InstanceType=request.get("InstanceType"),
        KeyName=request.get("KeyName"),
        SubnetId=request["SubnetId"],
        SecurityGroupId=request["Groups"],
        PrivateIpAddress=request["PrivateIpAddress"],
        UserData=request.get("UserData"),
        IamInstanceProfile={"Name": profile} if profile else None,
    )
    instance_id = answer.findtext("instancesSet/item/instanceId")
    _settle(ec2._instances[instance_id], request)
    set_tags(instance_id, props.get("Tags"))
    return instance_id, _attributes(instance_id)


def _settle(instance: dict[str, Any], request: Properties) -> None:
    """Set what RunInstances leaves at its defaults: zone, addresses, options, root volume."""
    subnet = ec2._subnets[request["SubnetId"]]
    instance["Placement"]["AvailabilityZone"] = subnet["AvailabilityZone"]
    instance["MetadataOptions"] = request.get("MetadataOptions") or {}
    instance["SourceDestCheck"] = str(request.get("SourceDestCheck", True)).lower() == "true"
    instance["Monitoring"] = {"State": "enabled" if request.get("Monitoring") else "disabled"}
    if not request["Public"]:
        instance["PublicIpAddress"] = instance["PublicDnsName"] = ""
    devices = request.get("BlockDeviceMappings") or []
    for mapping in instance["BlockDeviceMappings"]:
        volume = ec2._volumes[mapping["Ebs"]["VolumeId"]]
        volume["AvailabilityZone"] = subnet["AvailabilityZone"]
        for ebs in [d["Ebs"] for d in devices if d.get("Ebs")][:1]:
            volume["Encrypted"] = str(ebs.get("Encrypted", False)).lower() == "true"
            volume["Size"] = int(ebs.get("VolumeSize", volume["Size"]))


def _attributes(instance_id: str) -> Attributes:
    instance = ec2._instances[instance_id]
    return {
        "AvailabilityZone": instance["Placement"]["AvailabilityZone"],
        "InstanceId": instance_id,
        "PrivateDnsName": instance["PrivateDnsName"],
        "PrivateIp": instance["PrivateIpAddress"],
        "PublicDnsName": instance["PublicDnsName"],
        "PublicIp": instance["PublicIpAddress"],
        "VpcId": instance["VpcId"],
    }


def _update(physical_id: str, old: Properties, new: Properties) -> Attributes:
    """Amazon stops and starts the instance for its type and user data; the rest is at once."""
    instance = ec2._instances[physical_id]
    request = _launch_request({**new, "PrivateIpAddress": instance["PrivateIpAddress"]})
    instance["InstanceType"] = request.get("InstanceType", instance["InstanceType"])
    instance["UserData"] = request.get("UserData", "")
    instance["MetadataOptions"] = request.get("MetadataOptions") or {}
    if request["Groups"]:
        groups = [ec2._security_groups[group_id] for group_id in request["Groups"]]
        instance["SecurityGroups"] = [
            {"GroupId": g["GroupId"], "GroupName": g["GroupName"]} for g in groups
        ]
    if old.get("IamInstanceProfile") != new.get("IamInstanceProfile"):
        _replace_profile(instance, new.get("IamInstanceProfile"))
    set_tags(physical_id, new.get("Tags"))
    return _attributes(physical_id)


def _replace_profile(instance: dict[str, Any], name: str | None) -> None:
    association = ec2._find_active_iam_instance_profile_association(instance["InstanceId"])
    if association:
        ec2._iam_instance_profile_associations.pop(association["AssociationId"], None)
    instance["IamInstanceProfile"] = None
    if name:
        call(
            "AssociateIamInstanceProfile",
            InstanceId=instance["InstanceId"],
            IamInstanceProfile={"Name": name},
        )


def _delete(physical_id: str, props: Properties) -> None:
    if instance := ec2._instances.get(physical_id):
        if str(props.get("DisableApiTermination", False)).lower() == "true":
            raise refused(
                f"The instance '{physical_id}' may not be terminated. "
                "Modify its 'disableApiTermination' instance attribute and try again."
            )
        call("TerminateInstances", InstanceId=[physical_id])
        ec2._discard_instance_records(instance)
    set_tags(physical_id, None)


INSTANCE = ResourceType(
    _create,
    _update,
    _delete,
    (
        "AvailabilityZone",
        "CpuOptions",
        "ElasticGpuSpecifications",
        "ElasticInferenceAccelerators",
        "EnclaveOptions",
        "HibernationOptions",
        "HostResourceGroupArn",
        "ImageId",
        "Ipv6AddressCount",
        "Ipv6Addresses",
        "KeyName",
        "LaunchTemplate",
        "LicenseSpecifications",
        "NetworkInterfaces",
        "PlacementGroupName",
        "PrivateIpAddress",
        "SecurityGroups",
        "SubnetId",
    ),
)


def install() -> None:
    register("AWS::EC2::Instance", INSTANCE)
