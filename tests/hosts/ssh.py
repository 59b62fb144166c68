"""SSH between machines, by one key that is made for a test."""

from collections.abc import Sequence

from tests.hosts.machine import HOME, Machine

SECRETS = HOME / ".ssh"
KEY, HOST_KEY = SECRETS / "id_ed25519", SECRETS / "host_key"
CHECKOUT = HOME / "raysweep"
"""Where `deploy/machines.yaml` puts the repository, whose code servers then run."""


def connect(client: Machine, servers: Sequence[Machine]) -> None:
    """Lets root of `client` log in to `servers`, with the same programs at hand."""
    client.run("mkdir", "--mode=700", str(SECRETS))
    client.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(KEY))
    public = client.run("cat", f"{KEY}.pub")
    for server in servers:
        _serve(server, public)


def _serve(server: Machine, public: str) -> None:
    server.run("mkdir", "--mode=700", str(SECRETS), "/run/sshd")
    server.run("tee", str(SECRETS / "authorized_keys"), text=public)
    start = f'echo "export PATH=$PATH PYTHONPATH={CHECKOUT}" > {HOME}/.bashrc'
    server.run("bash", "-c", start)
    server.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(HOST_KEY))
    server.run("/usr/sbin/sshd", "-f", "/dev/null", "-h", str(HOST_KEY))
