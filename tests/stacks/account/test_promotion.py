from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError

from service.promotion import promote as move
from service.stores import Store, open_store
from stacks.account.connection import Account, connect
from stacks.account.model import Model
from stacks.account.promotion import promote
from stacks.errors import CommandError
from stacks.settings import Environment
from tests.service.published import put
from tests.stacks import alone
from tests.stacks.account.guarded import become, guarded, make_role, statements_of

BUCKET = "alphard-alone-models-123456789012-eu-central-1"
SERVED = Model(BUCKET, "models", "iris", "production", None)


@pytest.fixture
def environment() -> Environment:
    return alone.environment(
        model={"name": SERVED.name, "alias": "production"},
        delivery={"repository": "constellation/alphard", "github_environment": "alone"},
    )


@pytest.fixture
def store(account: Account) -> Store:
    """Two versions, and an alias that points to the first."""
    place = {"LocationConstraint": account.region}
    account.ask("s3", "create_bucket", Bucket=BUCKET, CreateBucketConfiguration=place)
    store = open_store(SERVED.store)
    put(store, "1", "2")
    move(store, "iris", "1", "production")
    return store


@pytest.fixture
def role(environment: Environment, account: Account) -> str:
    """The promotion role, with the policy that the stack gives it."""
    return make_role(account, "alphard-alone-promotion", statements_of("Promotion", environment, account))


def test_the_promotion_role_verifies_and_moves_an_alias_and_can_do_nothing_else(
    store: Store, role: str, environment: Environment, account: Account, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.ask("s3", "put_object", Bucket=BUCKET, Key="models/other/versions/1/manifest.json", Body=b"{}")
    become(account, role, monkeypatch)
    with guarded(aws):
        promote(connect(environment), SERVED, name="iris", version="2", alias="production")
        s3 = boto3.session.Session().client("s3")
        for key in ("models/iris/versions/3/manifest.json", "models/other/aliases/production.json", "else"):
            with pytest.raises(ClientError, match="AccessDenied"):
                s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}")
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.get_object(Bucket=BUCKET, Key="models/other/versions/1/manifest.json")
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.delete_object(Bucket=BUCKET, Key="models/iris/aliases/production.json")
    assert store.read_alias("iris", "production").alias.version == "2"


@pytest.mark.parametrize(
    ("name", "version", "alias", "said"),
    [
        ("house", "1", "production", "serves the model iris, not 'house'"),
        ("iris", "3", "production", "production was not moved: see above"),
        ("iris", "--alias=other", "production", "production was not moved: see above"),
        ("iris", "2", "../../other/aliases/production", "was not moved: see above"),
        ("iris", "2", "", "was not moved: see above"),
    ],
)
def test_what_is_not_in_order_moves_nothing(
    name: str, version: str, alias: str, said: str, store: Store, account: Account
) -> None:
    with pytest.raises(CommandError, match=said):
        promote(account, SERVED, name=name, version=version, alias=alias)
    assert store.read_alias("iris", "production").alias.version == "1"
    assert store.list_aliases("iris") == ["production"]
