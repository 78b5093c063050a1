# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Draw docs/architecture.svg from the CloudFormation templates.

Stacks, what is in them, containers and ports are read from the templates; only the places on the
paper are given here. A stack without a place is an error, so the picture cannot forget one.

    python docs/architecture.py
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from cfnlint.decode.cfn_yaml import load

FOLDER = Path(__file__).parents[1] / "cloudformation"
PICTURE = Path(__file__).with_name("architecture.svg")
WIDTH, HEIGHT = 1280, 880
GLUE = re.compile(
    r"::(Role|Route|RouteTable|SubnetRouteTableAssociation|VPCGatewayAttachment|MetricFilter|"
    r"SecurityGroup.*|.*Policy|.*Permissions|InstanceProfile|BackupSelection|MountTarget)$"
)
CHARACTER = 6.2  # units of width per character of the small print
STYLE = """
text { font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2a37 }
.paper { fill: #ffffff } .title { font-size: 22px; font-weight: 600 }
.vpc { fill: #f4f7fb; stroke: #8aa1bd; stroke-dasharray: 6 4 }
.stack { fill: #ffffff; stroke: #5b7391 } .task { fill: #eaf4ee; stroke: #3d7a55 }
.container { fill: #ffffff; stroke: #3d7a55 } .data { fill: #fdf3e1; stroke: #b7791f }
.person { fill: #eef0f3; stroke: #6b7280 }
.name { font-size: 13px; font-weight: 600 } .small { font-size: 11px; fill: #4b5563 }
.path { fill: none; stroke-width: 2 } .label { font-size: 11px; font-weight: 600 }
.store { stroke: #b7410e } .retrieve { stroke: #6b3fa0 } .web { stroke: #1d5fb4 }
.import { stroke: #b7791f } .plain { stroke: #6b7280; stroke-dasharray: 3 3 }
text.store { fill: #b7410e; stroke: none } text.retrieve { fill: #6b3fa0; stroke: none }
text.web { fill: #1d5fb4; stroke: none } text.import { fill: #b7791f; stroke: none }
text.plain { fill: #6b7280; stroke: none }
"""
COLOURS = {
    "store": "#b7410e",
    "retrieve": "#6b3fa0",
    "web": "#1d5fb4",
    "import": "#b7791f",
    "plain": "#6b7280",
}


@dataclass(frozen=True)
class Box:
    """A rectangle with its place on the paper and what is written into it."""

    x: int
    y: int
    width: int
    height: int
    style: str = "stack"
    note: str = ""  # written instead of the kinds of resources


VPCS = {
    "OnPremisesNetwork": Box(24, 250, 216, 400, "vpc", "Simulated hospital"),
    "ConsumerNetwork": Box(286, 250, 154, 170, "vpc", "Consumer VPC"),
    "ProviderNetwork": Box(530, 130, 726, 520, "vpc", "Provider VPC"),
}
STACKS = {
    "Cognito": Box(800, 46, 200, 66),
    "LoadBalancers": Box(550, 176, 190, 236, note="one for the web page, one for DICOM"),
    "ArchiveLink": Box(296, 300, 134, 76, note="endpoint service and endpoint"),
    "ReturnLink": Box(550, 448, 190, 68, note="endpoint service, endpoint and private name"),
    "Endpoints": Box(550, 562, 190, 68),
    "Task": Box(790, 176, 446, 340, "task", "one Fargate task, kept running by stack Service"),
    "Storage": Box(960, 562, 276, 68, "data"),
    "ClientHost": Box(62, 296, 160, 68, note="stores, queries, retrieves"),
    "OnPremises": Box(62, 448, 160, 68),
    "StorageHost": Box(62, 562, 160, 68, note="receives what was retrieved"),
    "Import": Box(306, 690, 190, 64),
    "Monitoring": Box(24, 790, 190, 64),
    "Logs": Box(232, 790, 190, 64),
    "Lookup": Box(440, 790, 190, 64),
    "Dns": Box(648, 790, 190, 64),
    "Nat": Box(856, 790, 190, 64, note="only on request"),
}
DRAWN_OTHERWISE = {"Peering", "Service"}  # a line, and the frame around the task
CONTAINERS = {
    "nginx": Box(806, 226, 176, 56, "container"),
    "ghostunnel-storage": Box(806, 300, 176, 56, "container"),
    "ghostunnel-query": Box(806, 374, 176, 56, "container"),
    "ghostunnel-outbound": Box(806, 448, 176, 56, "container"),
    "dicoogle": Box(1064, 226, 156, 278, "container"),
}


def read(name: str) -> dict[str, Any]:
    """Return a template, all functions in their long form."""
    template: dict[str, Any] = load(str(FOLDER / f"{name}.template"))
    return template


def kinds(template: dict[str, Any]) -> str:
    """Name what a template makes, most frequent first, without what only connects."""
    types = [resource["Type"] for resource in template["Resources"].values()]
    shown = Counter(name.split("::")[-1] for name in types if not GLUE.search(name))
    return ", ".join(name if n == 1 else f"{n} {name}" for name, n in shown.most_common())


def lines(text: str, width: int) -> list[str]:
    """Break text into at most two lines that fit."""
    room = int((width - 20) / CHARACTER)
    broken = [""]
    for word in text.split():
        if len(broken[-1]) + len(word) >= room and broken[-1]:
            broken.append("")
        broken[-1] = f"{broken[-1]} {word}".strip()
    if len(broken) > 2:
        broken = [broken[0], broken[1][: room - 2].rsplit(",", 1)[0] + ", ..."]
    return broken


def text(x: float, y: float, content: str, style: str, anchor: str = "start") -> str:
    """Return one line of text."""
    return (
        f'<text class="{style}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(content)}</text>'
    )


def draw(name: str, box: Box, details: str) -> Iterator[str]:
    """Return a box with its name and what is in it."""
    yield (
        f'<rect class="{box.style}" x="{box.x}" y="{box.y}" width="{box.width}" '
        f'height="{box.height}" rx="8"/>'
    )
    yield text(box.x + 10, box.y + 20, name, "name")
    for number, line in enumerate(lines(details, box.width)):
        yield text(box.x + 10, box.y + 37 + 15 * number, line, "small")


def path(
    kind: str, points: list[tuple[int, int]], label: str, at: tuple[int, int]
) -> Iterator[str]:
    """Return an arrow along points and its label, centred at a place."""
    route = " ".join(f"{x},{y}" for x, y in points)
    yield f'<polyline class="path {kind}" points="{route}" marker-end="url(#{kind})"/>'
    if label:
        yield text(*at, label, f"label {kind}", "middle")


def data_paths(port: dict[str, Any]) -> Iterator[str]:
    """Return the ways that images and people take."""
    dicom = f"{port['StorageTunnelPort']}, {port['QueryTunnelPort']}"
    back = str(port["StorageHostPort"])
    yield from path("web", [(720, 112), (720, 176)], "HTTPS 443", (680, 146))
    yield from path("web", [(740, 210), (770, 210), (770, 84), (800, 84)], "sign-in", (770, 76))
    yield from path("web", [(740, 246), (806, 246)], str(port["Nginx"]), (765, 240))
    yield from path("store", [(740, 270), (806, 270)], str(port["ManagementPort"]), (765, 264))
    yield from path("web", [(982, 254), (1064, 254)], str(port["Web"]), (1023, 248))
    yield from path("store", [(222, 338), (296, 338)], "peering", (263, 330))
    yield from path("store", [(430, 338), (550, 338)], "PrivateLink", (486, 330))
    yield text(486, 354, dicom, "label store", "middle")
    yield text(486, 370, str(port["ManagementPort"]), "label store", "middle")
    for name, tunnel, inside in (
        ("ghostunnel-storage", "StorageTunnelPort", "Storage"),
        ("ghostunnel-query", "QueryTunnelPort", "Query"),
    ):
        box = CONTAINERS[name]
        y = box.y + box.height // 2
        yield from path("store", [(740, y), (box.x, y)], str(port[tunnel]), (765, y - 6))
        yield from path("store", [(982, y), (1064, y)], str(port[inside]), (1023, y - 6))
    outbound = str(port["Outbound"])
    yield from path("retrieve", [(1064, 476), (982, 476)], outbound, (1023, 470))
    yield from path("retrieve", [(806, 482), (740, 482)], back, (765, 476))
    yield from path("retrieve", [(550, 482), (222, 482)], f"PrivateLink {back}", (392, 474))
    yield from path("retrieve", [(148, 516), (148, 562)], back, (172, 544))
    yield from path("plain", [(790, 500), (770, 500), (770, 596), (740, 596)], "", (0, 0))
    yield from path("plain", [(1142, 516), (1142, 562)], "NFS over TLS", (1190, 544))
    yield from path("import", [(62, 340), (42, 340), (42, 690)], "upload", (70, 674))
    yield from path("import", [(214, 722), (306, 722)], "hourly", (260, 714))
    yield from path(
        "import", [(496, 722), (1098, 722), (1098, 630)], "copied to the import folder", (800, 714)
    )


def picture() -> str:
    """Return the whole picture as SVG."""
    root = read("root")
    stacks = {
        name: resource["Properties"]["TemplateURL"].removesuffix(".template")
        for name, resource in root["Resources"].items()
    }
    placed = VPCS.keys() | STACKS.keys() | DRAWN_OTHERWISE
    if placed != stacks.keys():
        raise SystemExit(f"Give a place to, or remove: {sorted(placed ^ stacks.keys())}")
    task = read("task")["Resources"]["TaskDefinition"]["Properties"]
    containers = [container["Name"] for container in task["ContainerDefinitions"]]
    if CONTAINERS.keys() != set(containers):
        raise SystemExit(f"Give a place to, or remove: {sorted(CONTAINERS.keys() ^ containers)}")
    port = {name: parameter.get("Default") for name, parameter in root["Parameters"].items()}
    port |= root["Mappings"]["Ports"]["Task"] | read("task")["Mappings"]["Ports"]["Loopback"]

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>Dicoogle on AWS: stacks and the ways of images</title>",
        f"<style>{STYLE}</style>",
        "<defs>",
        *(
            f'<marker id="{kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" '
            f'markerHeight="6" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="{colour}"/></marker>'
            for kind, colour in COLOURS.items()
        ),
        "</defs>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        text(24, 50, "Dicoogle on AWS", "title"),
        text(24, 74, "Each box is a nested CloudFormation stack.", "small"),
    ]
    for row, (kind, meaning) in enumerate(
        {
            "store": "C-STORE, C-FIND, C-MOVE and management, mutual TLS",
            "retrieve": "images of C-MOVE, mutual TLS",
            "import": "images by S3",
            "web": "web page",
        }.items()
    ):
        y = 106 + 22 * row
        parts += path(kind, [(24, y), (64, y)], "", (0, 0))
        parts.append(text(74, y + 4, meaning, "small"))
    for name, box in VPCS.items():
        cidr = port[name.replace("Network", "VpcCidr")]
        parts += draw(box.note, box, str(cidr))
    for name, box in STACKS.items():
        parts += draw(name, box, box.note or kinds(read(stacks[name])))
    for name, box in CONTAINERS.items():
        parts += draw(name, box, "all ports on 127.0.0.1" if name == "dicoogle" else "")
    parts += draw("Physician", Box(550, 46, 190, 66, "person"), "browser, one-time code")
    parts += draw("Images bucket", Box(24, 690, 190, 64, "data"), "in stack Storage")
    parts += draw("bootstrap", Box(1064, 790, 190, 64), kinds(read("bootstrap")))
    parts += data_paths(port)
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(picture())
