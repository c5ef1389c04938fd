"""What the fields of the settings are made of: the base of all models, and the kinds of values."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag


class Settings(BaseModel):
    """Frozen, without unknown keys, and strict: ``"1"``, ``1.0`` and ``true`` are no whole numbers.

    A field's description completes "expected ..."; of a list it says with "each" what an item is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


def _full(pattern: str) -> AfterValidator:
    """Of the whole text, with look-arounds, which pydantic's own patterns have not."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(pattern)
        return text

    return AfterValidator(check)


def one_of(*allowed: int) -> AfterValidator:
    """A choice of whole numbers. A ``Literal`` would take ``true`` for 1, strict or not."""

    def check(number: int) -> int:
        if number not in allowed:
            raise ValueError(f"none of {allowed}")
        return number

    return AfterValidator(check)


_Item = TypeVar("_Item")
Items = Annotated[tuple[_Item, ...], Field(strict=False), AfterValidator(lambda items: _distinct(items))]
"""A list without repetitions. Only the tuple itself is not strict: JSON has none."""


def _distinct(items: tuple[_Item, ...]) -> tuple[_Item, ...]:
    if len(set(items)) < len(items):
        raise ValueError("an item stands there twice")
    return items


# --- "own" or {"adopt": {...}} ---------------------------------------------------------------------------------------


def _own_or_adopt(value: Any) -> str:
    return "<adopt>" if isinstance(value, dict | BaseModel) else "<own>"


_Adopt = TypeVar("_Adopt", bound=Settings)
Own = Annotated[Literal["own"], Tag("<own>")]
OwnOr = Annotated[Own | Annotated[_Adopt, Tag("<adopt>")], Discriminator(_own_or_adopt)]
"""Decided by the value's kind, so that what is wrong inside ``adopt`` is said of it alone."""


# --- texts -----------------------------------------------------------------------------------------------------------

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
Days = Annotated[
    int,
    one_of(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
]

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLACE = r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}"
_ID = r"[0-9a-f]{8}(?:[0-9a-f]{9})?"


def _arn(service: str, resource: str, *, place: str = _PLACE) -> AfterValidator:
    return _full(rf"arn:aws(?:-[a-z]+)*:{service}:{place}:[0-9]{{12}}:{resource}")


# With it no balancer or target group has a name of more than 32 characters: alphard-<environment>-<what>.
EnvironmentName = Annotated[str, _full(r"[a-z](?:-?[a-z0-9])*"), Field(max_length=15)]

# As service/stores/uri.py takes them.
ModelName = Annotated[str, _full(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")]
Prefix = Annotated[
    str, _full(r"(?!(?:.*/)?\.{1,2}(?:/|$))(?:[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*)?"), Field(max_length=512)
]

# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
_PATH_PART = r"[a-z0-9]+(?:[._-][a-z0-9]+)*"
RepositoryName = Annotated[str, _full(rf"(?:{_PATH_PART}/)*{_PATH_PART}"), Field(min_length=2, max_length=256)]
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BucketName = Annotated[str, _full(r"(?!.*\.\.)(?![0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")]
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
LogGroupName = Annotated[str, _full(r"(?!aws/)[A-Za-z0-9._/#-]{1,512}")]
ClusterName = Annotated[str, _full(r"[A-Za-z0-9_-]{1,255}")]

CertificateArn = Annotated[str, _arn("acm", r"certificate/[A-Za-z0-9-]+")]
TopicArn = Annotated[str, _arn("sns", r"[A-Za-z0-9_-]{1,256}")]
OidcProviderArn = Annotated[str, _arn("iam", r"oidc-provider/token\.actions\.githubusercontent\.com", place="")]
UserPoolArn = Annotated[str, _arn("cognito-idp", r"userpool/[A-Za-z0-9_-]+")]
ListenerArn = Annotated[str, _arn("elasticloadbalancing", r"listener/app/[A-Za-z0-9-]+/[0-9a-f]{16}/[0-9a-f]{16}")]

VpcId = Annotated[str, _full(f"vpc-{_ID}")]
SubnetId = Annotated[str, _full(f"subnet-{_ID}")]
SecurityGroupId = Annotated[str, _full(f"sg-{_ID}")]
HostedZoneId = Annotated[str, _full(r"[A-Z0-9]{1,32}")]
Account = Annotated[str, _full(r"[0-9]{12}")]
Region = Annotated[str, _full(_PLACE)]
Zone = Annotated[str, _full(f"{_PLACE}[a-z]")]

DomainName = Annotated[str, _full(rf"(?:{_LABEL}\.)+{_LABEL}"), Field(max_length=253)]
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html#host-conditions
HostPattern = Annotated[str, _full(r"[A-Za-z0-9.*?-]*\.[A-Za-z]+"), Field(max_length=128)]
HttpsUrl = Annotated[
    str, _full(rf"https://(?:{_LABEL}\.)+{_LABEL}(?::[0-9]{{1,5}})?(?:/[A-Za-z0-9._~/-]*)?"), Field(max_length=256)
]
Email = Annotated[
    str, _full(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}"), Field(max_length=254)
]


def _network(text: str) -> str:
    """An IPv4 network with its mask and without host bits."""
    if str(ipaddress.IPv4Network(text)) != text:
        raise ValueError("written otherwise")
    return text


Cidr = Annotated[str, AfterValidator(_network)]

# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolDomain.html
UserPoolDomain = Annotated[str, _full(rf"{_LABEL}(?:\.{_LABEL})*"), Field(max_length=253)]
ScheduleName = Annotated[str, _full(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")]
GitHubRepository = Annotated[str, _full(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")]
GitHubEnvironment = Annotated[str, _full(r"[A-Za-z0-9._-]{1,255}")]


def _cron(text: str) -> str:
    fields = text.split(" ")
    if len(fields) != 5 or not all(map(_fits, fields, _CRON)):
        raise ValueError("not five fields")
    if "*" not in (fields[2], fields[4]):
        raise ValueError("either a day of the month or a day of the week: AWS has no or")
    return text


def _fits(field: str, values: tuple[str, ...]) -> bool:
    """Whether each part is ``*``, a value or a range of values, with or without a step."""
    return all(_part_fits(part, values) for part in field.split(","))


def _part_fits(part: str, values: tuple[str, ...]) -> bool:
    span, slash, step = part.partition("/")
    first, dash, last = span.partition("-")
    if slash and step not in _numbers(1, len(values)):
        return False
    if span == "*":
        return True
    if first not in values or (dash and last not in values):
        return False
    return not dash or values.index(first) <= values.index(last)


def _numbers(first: int, last: int) -> tuple[str, ...]:
    return tuple(map(str, range(first, last + 1)))


# A day of the week by its name alone: cron counts from 0 for Sunday, AWS from 1.
# https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
_CRON = (
    _numbers(0, 59),
    _numbers(0, 23),
    _numbers(1, 31),
    _numbers(1, 12),
    ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"),
)
Cron = Annotated[str, AfterValidator(_cron)]


def _time_zone(text: str) -> str:
    """As the machine's own list of time zones has it, where it has one."""
    known = available_timezones()
    if not re.fullmatch(r"UTC|[A-Za-z]+(?:/[A-Za-z0-9_+-]+)+", text) or (known and text not in known):
        raise ValueError("no time zone")
    return text


TimeZone = Annotated[str, AfterValidator(_time_zone)]
