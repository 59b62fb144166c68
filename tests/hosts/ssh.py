"""SSH between machines, by one key that is made for a test."""

from collections.abc import Sequence
from pathlib import Path

from tests.hosts.machine import Machine

KEY = Path("/root/.ssh/id_ed25519")
CHECKOUT = Path("/root/raysweep")
"""Where `deploy/machines.yaml` puts the repository, whose code servers then run."""
HOST_KEY = Path("/root/.ssh/host_key")


def connect(client: Machine, servers: Sequence[Machine]) -> None:
    """Lets root of `client` log in to `servers`, with the same programs at hand."""
    client.run("mkdir", "--mode=700", "/root/.ssh")
    client.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(KEY))
    public = client.run("cat", f"{KEY}.pub")
    for server in servers:
        _serve(server, public)


def _serve(server: Machine, public: str) -> None:
    server.run("mkdir", "--mode=700", "/root/.ssh", "/run/sshd")
    server.run("bash", "-c", 'echo "$0" > /root/.ssh/authorized_keys', public)
    server.run("bash", "-c", f'echo "export PATH=$PATH PYTHONPATH={CHECKOUT}" > /root/.bashrc')
    server.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(HOST_KEY))
    server.run("/usr/sbin/sshd", "-f", "/dev/null", "-h", str(HOST_KEY))
