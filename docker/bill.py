"""The bill of materials of an image, as CycloneDX: what is of Python, what is of Debian, and what depends on what."""

from __future__ import annotations

import email
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from importlib.metadata import Distribution, distributions
from pathlib import Path

from archive import Image
from build import Commit
from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name


def write_bill(root: Path, image: Image, tag: str, commit: Commit, path: Path) -> None:
    """Writes the bill of the image that is unpacked in ``root``. The same image gives the same bill."""
    name, _, version = tag.partition(":")
    whole = Component(name=name, version=version, type=ComponentType.CONTAINER, bom_ref=image.id)
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, image.id))
    bom.metadata.timestamp = datetime.fromtimestamp(commit.made_at, UTC)
    bom.metadata.component = whole
    packages = {canonicalize_name(found.name): found for found in _python_packages(root)}
    components = {name: _python_component(found) for name, found in packages.items()}
    for name, found in packages.items():
        bom.components.add(components[name])
        bom.register_dependency(components[name], [components[need] for need in _needs(found) if need in components])
    bom.components.update(_debian_components(root), _interpreter(image))
    bom.register_dependency(whole, bom.components)
    make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_to_file(str(path), allow_overwrite=True, indent=1)


def _python_packages(root: Path) -> Iterator[Distribution]:
    [site_packages] = root.glob("venv/lib/python*/site-packages")
    return iter(distributions(path=[str(site_packages)]))


def _python_component(found: Distribution) -> Component:
    purl = PackageURL("pypi", name=canonicalize_name(found.name), version=found.version)
    said = _said(found, "License-Expression") or _said(found, "License") or ""
    return Component(
        name=found.name,
        version=found.version,
        description=_said(found, "Summary"),
        purl=purl,
        bom_ref=str(purl),
        # Some packages put the whole text there.
        licenses=[LicenseFactory().make_from_string(said)] if said and "\n" not in said else (),
    )


def _said(found: Distribution, key: str) -> str | None:
    return found.metadata[key] if key in found.metadata else None  # noqa: SIM401  # it has no get


def _needs(found: Distribution) -> Iterator[NormalizedName]:
    """The packages that it says it needs here, without its extras."""
    for line in found.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)


def _interpreter(image: Image) -> Iterator[Component]:
    """Python itself, where it is no package of Debian's: the official image says its version, and builds it."""
    for variable in image.config["Env"]:
        key, _, version = variable.partition("=")
        if key == "PYTHON_VERSION":
            purl = PackageURL("generic", name="python", version=version)
            yield Component(name="python", version=version, purl=purl, bom_ref=str(purl))


def _debian_components(root: Path) -> Iterator[Component]:
    lines = (root / "etc/os-release").read_text("utf-8").splitlines()
    release = dict(line.replace('"', "").split("=", 1) for line in lines if "=" in line)
    distribution = f"debian-{release['VERSION_ID']}"
    for package in _debian_packages(root):
        if package["Status"] != "install ok installed":
            continue
        qualifiers = {"arch": package["Architecture"], "distro": distribution}
        purl = PackageURL("deb", "debian", package["Package"], package["Version"], qualifiers)
        yield Component(name=package["Package"], version=package["Version"], purl=purl, bom_ref=str(purl))


def _debian_packages(root: Path) -> Iterator[Message]:
    for stanza in (root / "var/lib/dpkg/status").read_text("utf-8").split("\n\n"):
        if stanza.strip():
            yield email.message_from_string(stanza)
