"""What the service is told, whatever it runs on: ``ALPHARD_*`` variables, as ``service/settings.py`` reads them."""

from __future__ import annotations


def service_environment(**values: str | float) -> dict[str, str]:
    """One ``ALPHARD_*`` variable for each value, under its name: ``port=8000`` is ``ALPHARD_PORT=8000``."""
    return {f"ALPHARD_{name.upper()}": _text(value) for name, value in values.items()}


def model_uri(*, bucket: str, prefix: str, name: str, alias: str | None, version: str | None) -> str:
    """Where the served model is: ``s3://bucket/prefix/name@alias``, or ``s3://bucket/prefix/name/version``.

    The bucket's name may hold tokens. Raises ValueError unless there is either an alias or a version.
    """
    if (alias is None) == (version is None):
        raise ValueError(f"either an alias or a version of {name!r} is served")
    return f"s3://{bucket}/{model_prefix(prefix=prefix, name=name)}" + (f"@{alias}" if alias else f"/{version}")


def model_prefix(*, prefix: str, name: str) -> str:
    """The key prefix, without a slash at either end, under which all objects of this one model are."""
    return "/".join(part for part in (prefix.strip("/"), name) if part)


def _text(value: str | float) -> str:
    """A whole number without a fraction, so that ``30.0`` and ``30`` make the same template."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
