"""CodeConnections: a connection waits for a person."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from platform_pipelines.local.world import World
from tests.local.aws.stacks import StillWorld


@pytest.fixture
def client(world: World) -> Any:
    """CodeConnections in Seoul."""
    return StillWorld(world).aws("codeconnections")


def test_a_connection_is_pending_until_a_person_confirms_it(client: Any) -> None:
    """Nobody does here."""
    arn = client.create_connection(ConnectionName="code", ProviderType="GitHub")["ConnectionArn"]
    found = client.get_connection(ConnectionArn=arn)["Connection"]
    assert (found["ConnectionName"], found["ConnectionStatus"]) == ("code", "PENDING")
    assert found["OwnerAccountId"] == "111122223333"
    assert client.list_connections(ProviderTypeFilter="GitHub")["Connections"] == [found]
    assert client.list_connections(ProviderTypeFilter="GitLab")["Connections"] == []
    client.delete_connection(ConnectionArn=arn)
    for operation in (client.get_connection, client.delete_connection):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            operation(ConnectionArn=arn)


def test_a_connection_has_a_provider_or_a_host(client: Any) -> None:
    """Hosts are nowhere here."""
    host = "arn:aws:codeconnections:ap-northeast-2:111122223333:host/h"
    with pytest.raises(ClientError, match="InvalidInputException"):
        client.create_connection(ConnectionName="code")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.create_connection(ConnectionName="code", HostArn=host)


def test_tags_come_and_go(client: Any) -> None:
    """By the connection's ARN."""
    tags = [{"Key": "a", "Value": "1"}]
    made = client.create_connection(ConnectionName="code", ProviderType="GitHub", Tags=tags)
    of = {"ResourceArn": made["ConnectionArn"]}
    client.tag_resource(**of, Tags=[{"Key": "b", "Value": "2"}])
    client.untag_resource(**of, TagKeys=["a"])
    assert client.list_tags_for_resource(**of)["Tags"] == [{"Key": "b", "Value": "2"}]
