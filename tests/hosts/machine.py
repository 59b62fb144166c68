"""Machines made of Linux namespaces on one computer; root makes them.

Each has processes, a network address, a name, a home, `/tmp`, `/run` and shared memory of its own. It lives as long as
its first process, and that as long as its standard input: whatever becomes of a test, nothing is left behind.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
HOME = Path("~root").expanduser()
OWN = (HOME, Path("/tmp"))
"""Folders that each machine has for itself."""
SHARED = HOME / "shared"
"""A folder that all machines see, as one mounted over NFS."""
FIRST_PROCESS = ("bash", "-c", "echo ready; read")
"""Lives until its input ends, and buries the orphans of others."""
NAMESPACES = ("--net", "--mount", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child")


@dataclass(frozen=True)
class Machine:
    name: str
    address: str
    pid: int
    """Of `unshare`, as seen from outside; it holds the namespaces and is itself in all but that of processes."""

    @property
    def enter(self) -> tuple[str, ...]:
        """Words before those of a command on this machine, in the repository's folder."""
        processes = f"--pid=/proc/{self.pid}/ns/pid_for_children"
        target = f"--target={self.pid}"
        return ("nsenter", target, "--net", "--mount", "--uts", processes, f"--wdns={REPOSITORY}")

    def run(self, *words: str, text: str = "") -> str:
        """Standard output of a command that reads `text`; AssertionError with all output where it fails."""
        return _do(*self.enter, *words, text=text)

    def start(self, command: str) -> None:
        """A shell command that goes on until the machine ends; its output lies in `/tmp/started.log`."""
        self.run("bash", "-c", f"{command} < /dev/null >> /tmp/started.log 2>&1 &")


@contextmanager
def machines(folder: Path, names: Sequence[str]) -> Iterator[list[Machine]]:
    """Machines on one network, with all that is their own kept in `folder`."""
    addresses = {name: f"10.99.0.{number}" for number, name in enumerate(names, start=2)}
    (folder / "shared").mkdir()
    (folder / "hosts").write_text(_names(addresses))
    with ExitStack() as alive:
        switch = alive.enter_context(_holder("unshare", "--net"))
        _at(switch, "ip link add switch up type bridge")
        _at(switch, "ip address add 10.99.0.1/24 dev switch")
        made = []
        for name, address in addresses.items():
            pid = alive.enter_context(_holder("unshare", *NAMESPACES))
            made.append(Machine(name, address, pid))
            _plug_in(made[-1], switch)
            _furnish(made[-1], folder)
        yield made


def _names(addresses: Mapping[str, str]) -> str:
    """An `/etc/hosts`: Gloo takes for a machine's address what its name stands for."""
    lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in addresses.items())]
    return "\n".join(lines) + "\n"


@contextmanager
def _holder(*unshare: str) -> Iterator[int]:
    """The id of a process in namespaces of its own; they end with the block."""
    words, pipe = [*unshare, *FIRST_PROCESS], subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", "only root makes namespaces"
        yield process.pid


def _plug_in(machine: Machine, switch: int) -> None:
    """A cable from the switch, and a default route, by which Ray finds the machine's own address."""
    peer = f"peer name eth0 netns {machine.pid}"
    _at(switch, f"ip link add {machine.name} up master switch type veth {peer}")
    machine.run("hostname", machine.name)
    machine.run("ip", "link", "set", "lo", "up")
    machine.run("ip", "link", "set", "eth0", "up")
    machine.run("ip", "address", "add", f"{machine.address}/24", "dev", "eth0")
    machine.run("ip", "route", "add", "default", "via", "10.99.0.1")


def _furnish(machine: Machine, folder: Path) -> None:
    """Its own folders, and in them the shared one and what Python runs from."""
    for own in OWN:
        _inside(machine, folder, own).mkdir(parents=True)
    _show(machine, folder, folder / "shared", SHARED)
    for needed in (REPOSITORY, Path(sys.prefix), Path(sys.base_prefix)):
        if any(needed.is_relative_to(own) for own in OWN):
            _show(machine, folder, needed, needed)
    machine.run("mount", "--bind", str(folder / "hosts"), "/etc/hosts")
    for memory in ("/dev/shm", "/run"):
        machine.run("mount", "-t", "tmpfs", "tmpfs", memory)
    for own in OWN:  # /tmp last: it may hide `folder`
        machine.run("mount", "--rbind", str(_inside(machine, folder, own)), str(own))


def _show(machine: Machine, folder: Path, source: Path, there: Path) -> None:
    place = _inside(machine, folder, there)
    place.mkdir(parents=True, exist_ok=True)
    machine.run("mount", "--bind", str(source), str(place))


def _inside(machine: Machine, folder: Path, place: Path) -> Path:
    """Where `folder` keeps what the machine has at `place`."""
    return folder / machine.name / place.relative_to("/")


def _at(switch: int, command: str) -> str:
    return _do("nsenter", f"--target={switch}", "--net", *command.split())


def _do(*words: str, text: str = "") -> str:
    done = subprocess.run(words, env=_environment(), input=text, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _environment() -> dict[str, str]:
    """Of whoever sits at a machine."""
    programs = f"{sys.prefix}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"HOME": str(HOME), "PATH": programs, "LANG": "C.UTF-8", "RAY_AUTH_MODE": "token"}
