"""An estimator as an archive of skops that has the same bytes for the same estimator.

skops names objects by their address in memory and stamps its members with the time, so two archives of one estimator
differ. Here ids are numbered as they come, and members have no time.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from service.engines.sklearn import is_trusted
from service.errors import PublishError

_NO_TIME = (1980, 1, 1, 0, 0, 0)


def archive_estimator(estimator: Any) -> tuple[bytes, tuple[str, ...]]:
    """The archive, and the types beyond skops' own list that loading it builds, by exact name.

    Raises PublishError if skops cannot store the estimator, or if it holds types that the service does not build.
    """
    import skops.io  # takes a second, and most estimators have a graph

    try:
        archive = _normalise(skops.io.dumps(estimator, compression=zipfile.ZIP_STORED))
        types = tuple(sorted(skops.io.get_untrusted_types(data=archive)))
    except Exception as error:  # skops raises whatever an object that it cannot store runs into
        raise PublishError(f"skops cannot store the estimator: {str(error)[:300]}") from error
    foreign = [name for name in types if not is_trusted(name)]
    if foreign:
        raise PublishError(f"the estimator holds {', '.join(foreign)[:300]}, which the service does not build")
    return archive, types


def _normalise(archive: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        schema = json.loads(source.read("schema.json"))
        numbering = _Numbering()
        numbering.visit(schema)
        members = {numbering.files.get(name, name): source.read(name) for name in source.namelist()}
    members["schema.json"] = json.dumps(schema, ensure_ascii=False).encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as written:
        for name in sorted(members):
            written.writestr(zipfile.ZipInfo(name, _NO_TIME), members[name])
    return target.getvalue()


class _Numbering:
    """Renames ids and files in a schema, in the order in which they come."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self._ids: dict[int, int] = {}
        self._count = 0

    def visit(self, node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                self.visit(item)
        elif isinstance(node, dict):
            if "__id__" in node:
                node["__id__"] = self._number(node)
            if isinstance(node.get("file"), str):
                _, _, suffix = node["file"].rpartition(".")
                node["file"] = self.files.setdefault(node["file"], f"{len(self.files)}.{suffix}")
            for item in node.values():
                self.visit(item)

    def _number(self, node: dict[str, Any]) -> int:
        self._count += 1
        if node.get("__loader__") == "JsonNode":  # whether two equal scalars are one object is the interpreter's whim
            return self._count
        return self._ids.setdefault(node["__id__"], self._count)
