"""Kubernetes' protobuf, byte by byte: what is read, and what is refused."""

import struct

import pytest

from platform_pipelines.local.kube import protobuf
from platform_pipelines.local.kube.protobuf import MAGIC, NotProtobuf, decode


def number(field: int, value: int) -> bytes:
    """A field with a number."""
    return varint(field << 3) + varint(value)


def text(field: int, value: bytes | str) -> bytes:
    """A field with bytes: a text or a message."""
    raw = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(raw)) + raw


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; a negative number takes ten."""
    value %= 1 << 64
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def body(kind: str, message: bytes, api_version: str = "v1") -> bytes:
    """A request's body."""
    return MAGIC + text(1, text(1, api_version) + text(2, kind)) + text(2, message)


def test_an_object_is_read() -> None:
    """Text, maps, and a time."""
    metadata = text(1, "c") + text(11, text(1, "a") + text(2, "b")) + text(8, number(1, 1_000_000))
    found = decode(body("ConfigMap", text(1, metadata) + text(2, text(1, "k") + text(2, "v"))))
    assert found == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "c",
            "labels": {"a": "b"},
            "creationTimestamp": "1970-01-12T13:46:40Z",
        },
        "data": {"k": "v"},
    }


def test_zeros_count_where_they_are_said_through_a_pointer() -> None:
    """`replicas: 0` is not the default; `minReadySeconds: 0` and an empty time are nothing."""
    metadata = text(1, text(1, "d") + text(8, b""))
    found = decode(body("Deployment", metadata + text(2, number(1, 0) + number(5, 0)), "apps/v1"))
    assert found["spec"] == {"replicas": 0}
    assert found["metadata"] == {"name": "d"}


def test_a_source_is_a_part_of_its_volume() -> None:
    """JSON has no level for it, and an empty directory is one all the same."""
    volume = text(1, "v") + text(2, text(2, b""))
    found = decode(body("Pod", text(2, text(1, volume))))
    assert found["spec"]["volumes"] == [{"name": "v", "emptyDir": {}}]


def test_a_port_is_a_number_or_a_name() -> None:
    """IntOrString."""
    ports = [text(1, number(3, 80) + text(4, number(1, 0) + number(2, 8080) + text(3, "")))]
    ports.append(text(1, number(3, 81) + text(4, number(1, 1) + number(2, 0) + text(3, "http"))))
    found = decode(body("Service", text(2, b"".join(ports))))
    assert [each["targetPort"] for each in found["spec"]["ports"]] == [8080, "http"]


def test_quantities_negative_numbers_and_packed_lists() -> None:
    """As a pod has them."""
    limits = text(8, text(1, text(1, "cpu") + text(2, text(1, "500m"))))
    context = text(14, number(2, -1) + text(4, varint(5) + varint(6)))
    found = decode(body("Pod", text(2, text(2, text(1, "c") + limits) + context)))
    assert found["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "500m"}}
    assert found["spec"]["securityContext"]["supplementalGroups"] == [5, 6]
    assert -1 in found["spec"]["securityContext"].values()


def test_the_options_of_a_delete_have_any_group() -> None:
    """kubectl names the group of what it deletes."""
    found = decode(body("DeleteOptions", number(1, 0), "apps/v1"))
    assert found["gracePeriodSeconds"] == 0


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"k8s",
        MAGIC,
        MAGIC + b"\xff",
        body("Pod", b"\x0a\x7f"),
        body("Pod", number(99, 1)),
        body("Pod", b"\x0b"),
        body("Pod", number(1, 1)),
        body("Pod", text(1, text(1, b"\xff"))),
        body("Nothing", b""),
        body("Application", b"", "argoproj.io/v1alpha1"),
        body("Pod", varint(1 << 3 | 1) + struct.pack("<d", 1.0)),
    ],
)
def test_what_cannot_be_read_is_refused(raw: bytes) -> None:
    """Never half an object: a field that is not known is a refusal, too."""
    with pytest.raises(NotProtobuf):
        decode(raw)


def test_every_type_of_the_table_is_there() -> None:
    """A message names only messages that the table has, and types that are read."""
    table = protobuf._messages()
    plain = {"string", "int", "bool", "bytes", "quantity", "json", "time", "int-or-string"}
    named = {field.type for fields in table.values() for field in fields.values()}
    assert named <= plain | table.keys()
