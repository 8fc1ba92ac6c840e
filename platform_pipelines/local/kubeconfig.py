"""The kubeconfig of the local clusters: contexts named by the Regions' aliases, for kubectl.

The token is one that only this state folder knows; the product does not use it, it signs its own as
with EKS.
"""

import base64
import secrets
from pathlib import Path
from typing import Any

import yaml

FILE = "kubeconfig"
TOKEN = "token"  # a file's name
USER = "local"


def ensure_token(state: Path) -> str:
    """The static token of this state folder, made if there is none."""
    file = state / TOKEN
    if file.exists() and (token := file.read_text().strip()):
        return token
    token = secrets.token_urlsafe(32)
    file.touch(mode=0o600)
    file.write_text(token + "\n")
    return token


def write(state: Path, servers: dict[str, str], ca_pem: bytes, token: str) -> Path:
    """Write `<state>/kubeconfig` for the clusters' URLs, by alias; the first is the default."""
    path = state / FILE
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(_content(servers, ca_pem, token), sort_keys=False))
    return path


def _content(servers: dict[str, str], ca_pem: bytes, token: str) -> dict[str, Any]:
    ca = base64.b64encode(ca_pem).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": alias, "cluster": {"server": url, "certificate-authority-data": ca}}
            for alias, url in servers.items()
        ],
        "users": [{"name": USER, "user": {"token": token}}],
        "contexts": [
            {"name": alias, "context": {"cluster": alias, "user": USER}} for alias in servers
        ],
        "current-context": next(iter(servers)),
    }
