"""Would the container start? Its own install steps, its own command, no powers and a read-only root."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOBODY = "65534"
INSTALLED = "/opt/sarafan"  # where the Dockerfile puts the program
START_LIMIT = 60  # seconds
STOP_LIMIT = 10  # seconds, by the contract


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (instruction, arguments), continued lines joined, comments left out."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#")).replace("\\\n", " ")
    return [
        (word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)
    ]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for word, rest in instructions():
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


def argument(name: str) -> str:
    """The arguments of an instruction of the last stage, which has it once."""
    [rest] = [rest for word, rest in stages()[-1] if word == name]
    return rest


@dataclass(frozen=True, slots=True)
class Image:
    """What the Dockerfile builds, in a folder instead of an image; `data` is its volume."""

    root: Path

    @property
    def program(self) -> Path:
        return self.root / INSTALLED.lstrip("/")

    @property
    def data(self) -> Path:
        return self.root / "data"

    def environment(self, **more: str) -> dict[str, str]:
        """Only what the image sets: nothing of this machine's leaks in."""
        pairs = re.findall(r"(\w+)=(\S+)", argument("ENV"))
        here = {name: self.adapted(value).replace("$PATH", os.defpath) for name, value in pairs}
        return {**here, "HOME": str(self.data), **more}

    def adapted(self, command: str) -> str:
        return command.replace(INSTALLED, str(self.program))


def build(root: Path) -> Image:
    """Do what the first stage does; the second only adds a user, which needs root and an image."""
    image = Image(root)
    workdir = root
    environment = dict(os.environ)
    for word, rest in stages()[0]:
        if word == "WORKDIR":
            workdir = root / rest.lstrip("/")
            workdir.mkdir(parents=True)
        elif word == "ENV":
            environment |= dict(re.findall(r"(\w+)=(\S+)", rest))
        elif word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                copy(ROOT / source, workdir / target)
        elif word == "RUN":
            command = re.sub(r"^python ", f"{sys.executable} ", image.adapted(rest))
            subprocess.run(command, shell=True, cwd=workdir, env=environment, check=True)  # noqa: S602
    return image


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def test_the_second_stage_only_adds_an_ordinary_user_and_takes_the_program_over() -> None:
    done = [rest for word, rest in stages()[-1] if word in {"RUN", "COPY"}]
    assert [rest for rest in done if "useradd" not in rest] == [f"--from=build {INSTALLED} {INSTALLED}"]
    user, _, group = argument("USER").partition(":")
    for number in (user, group):
        assert number.isdecimal(), "a number, so that an engine can tell that it is not root"
        assert number != "0"
    assert f"--uid {user}" in done[0]


def test_the_program_is_process_1_and_is_asked_to_stop_by_sigterm() -> None:
    assert json.loads(argument("CMD")) == ["sarafan", "run"], (
        "in brackets, or a shell would hold the signal back"
    )
    assert argument("STOPSIGNAL") == "SIGTERM"
    assert argument("VOLUME") == "/data"


def test_compose_keeps_the_root_read_only_and_waits_for_the_stop() -> None:
    compose = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    for line in (
        "read_only: true",
        "stop_grace_period: 20s",
        "- data:/data",
        "- ALL",
        "no-new-privileges:true",
    ):
        assert line in compose
    named = re.findall(r"SARAFAN_\w+", compose)
    assert named
    assert all(name.endswith("_FILE") for name in named), (
        "a secret in the environment shows in `docker inspect`"
    )


def test_only_what_the_image_is_built_from_is_sent_to_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied = {source for word, rest in stages()[0] if word == "COPY" for source in rest.split()[:-1]}
    assert "*" in ignored
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """Built in a folder that another user may enter, unlike pytest's own."""
    root = Path(tempfile.mkdtemp(prefix="sarafan-image-"))
    try:
        skip_without_an_index(root)
        image = build(root)
        image.data.mkdir(mode=0o700)
        root.chmod(0o755)
        yield image
    finally:
        subprocess.run(["chmod", "-R", "u+w", root], check=True)  # noqa: S603, S607
        shutil.rmtree(root)


def skip_without_an_index(folder: Path) -> None:
    """Ask for one small package of those that are pinned."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    [small] = [line for line in lines if line.startswith("mdurl==")]
    wanted = folder / "wanted.txt"
    wanted.write_text(small, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries=1", "--timeout=20"]
    answer = run([*command, "--dest", str(folder / "wanted"), "--requirement", str(wanted)])
    if answer.returncode:
        pytest.skip(f"no package index answers: {answer.stderr.strip().splitlines()[-1]}")


def run(
    command: list[str], *, cwd: Path = ROOT, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)  # noqa: S603


@dataclass(frozen=True, slots=True)
class Container:
    """An image with what stands before a command so that it runs without powers on a read-only root."""

    image: Image
    before: list[str]
    environment: dict[str, str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return run([*self.before, *self.found(command)], cwd=self.image.root, env=self.environment)

    @contextmanager
    def started(self, *command: str) -> Iterator[subprocess.Popen[str]]:
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
            process = subprocess.Popen(  # noqa: S603
                [*self.before, *self.found(command)],
                cwd=self.image.root,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
            try:
                yield process
            finally:
                process.kill()
                process.wait()
                output.seek(0)
                sys.stdout.write(output.read())  # shown where the test fails

    def found(self, command: tuple[str, ...]) -> list[str]:
        """The command with its program looked up in the image, as PATH would there."""
        return [str(self.image.program / "bin" / command[0]), *command[1:]]


def powerless(image: Image) -> list[str]:
    """Another user without capabilities; root without any where that user cannot read the interpreter."""
    if os.geteuid() != 0:
        return []
    no_powers = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    nobody = [*no_powers, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    seen = run([*nobody, str(image.program / "bin/python"), "-c", "import sys; print(sys.base_prefix)"])
    if seen.stdout.strip() != sys.base_prefix:
        return no_powers
    os.chown(image.data, int(NOBODY), int(NOBODY))
    return nobody


def read_only(image: Image) -> list[str]:
    """A mount namespace of its own with only /data to write to, where this machine allows one."""
    mounts = f'mount --bind {image.data} {image.data}; mount -o remount,bind,ro /; exec "$@"'
    command = ["unshare", "--mount", "sh", "-ec", mounts, "sh"]
    return command if shutil.which("unshare") and run([*command, "true"]).returncode == 0 else []


@pytest.fixture(scope="module")
def config() -> Iterator[str]:
    """The stand-ins of the outside, in a process of their own, and the config that they print."""
    command = [sys.executable, "-m", "integrations.standins"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as standins:  # noqa: S603
        try:
            assert standins.stdout
            yield "".join(takewhile(lambda line: line != "# ready\n", standins.stdout))
        finally:
            standins.terminate()


@pytest.fixture
def container(image: Image, config: str) -> Container:
    file = image.root / "etc/sarafan/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(config, encoding="utf-8")
    environment = image.environment(
        SARAFAN_CONFIG=str(file),
        SARAFAN_HTTP__LISTEN=f"127.0.0.1:{free_port()}",
        SARAFAN_STORAGE__URL="sqlite:///data/sarafan.db",  # the default
    )
    # By modes too: for who is no root they do what the mount does.
    subprocess.run(["chmod", "-R", "a-w", image.program, file.parent], check=True)  # noqa: S603, S607
    image.root.chmod(0o555)
    return Container(image, [*read_only(image), *powerless(image)], environment)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.long  # a minute: everything is installed anew
@pytest.mark.timeout(300)
def test_it_runs_without_powers_on_a_read_only_root_and_stops_at_sigterm(container: Container) -> None:
    tried = container.run("python", "-c", "open(__import__('worker').__file__, 'a')")
    assert "Read-only" in tried.stderr or "PermissionError" in tried.stderr, "this test would prove nothing"
    if os.geteuid() == 0:
        status = container.run("python", "-c", "print(open('/proc/self/status').read())").stdout
        assert re.search(r"^CapEff:\s+0+$", status, re.M), "this test would prove nothing"
    before = files_of(container.image)

    with container.started(*json.loads(argument("CMD"))) as process:
        address = container.environment["SARAFAN_HTTP__LISTEN"]
        wait_for(f"http://{address}/healthz", process)
        wait_for(f"http://{address}/readyz", process)
        assert (container.image.data / "sarafan.db").exists(), "the volume holds the default storage"
        assert container.run(*healthcheck(address)).returncode == 0
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_LIMIT) == 0
        assert time.monotonic() - asked < STOP_LIMIT

    assert container.run(*healthcheck(address)).returncode != 0, "nobody is there any more"
    for face in ("html", "xlsx"):  # the page's template and style are installed; no other file is needed
        out = container.image.data / f"report.{face}"
        told = container.run("sarafan", "report", "--format", face, "--out", str(out))
        assert (told.returncode, out.exists()) == (0, True), told.stderr
    assert files_of(container.image) == before


def healthcheck(address: str) -> list[str]:
    """The image's own check, at the address of this test."""
    host, _, port = address.partition(":")
    command: list[str] = json.loads(argument("HEALTHCHECK").partition("CMD ")[2])
    asks = f"'{host}', 8080"
    assert asks in command[-1]
    return [*command[:-1], command[-1].replace(asks, f"'{host}', {port}")]


def wait_for(url: str, process: subprocess.Popen[str]) -> None:
    """Until it answers 200; fails when the process ends or the patience does."""
    began = time.monotonic()
    while True:
        assert process.poll() is None, f"ended with {process.returncode}"
        assert time.monotonic() - began < START_LIMIT
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
                assert answer.status == 200
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)


def files_of(image: Image) -> set[Path]:
    return {path for path in image.root.rglob("*") if image.data not in (path, *path.parents)}
