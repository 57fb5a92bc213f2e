"""Sends every case of tests/platforms to a running livehook and compares what a consumer sees on the bus.

A nats-server and a livehook are started in a temporary folder, each case is delivered with curl byte for byte to
an account of its own (cases are separate stories), `consume.py` reads the bus and checks the contract, and what it
read must be what the `.expect` file beside the case says: types, subjects, data, in this order.

A case that waits (`### +300s`) is sent up to its first wait: time cannot be moved here, the tests in Rust can.

The last line counts: "N passed, N failed". Exit code 0 when nothing failed.
"""

import argparse
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
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "tests" / "platforms"
# The key with which the signed cases of tests/platforms are signed.
WEBHOOK_SECRET = "example-webhook-secret-0001"
# The secrets of the tests, which nothing that is left behind may hold.
CANARIES = dict(line.split() for line in (ROOT / "tests" / "canaries.txt").read_text("ascii").splitlines())
# The callbacks that ask.
ASKING = ("vod-play", "live-play", "download", "next-episode")
WAIT = re.compile(rb"\n### \+(\d+)s\n")


@dataclass
class Request:
    """A request of a case, and the events that must come of it."""

    callback: str
    headers: list[str]
    body: bytes
    status: int
    events: list[dict]


@dataclass
class Case:
    """The part of a case that can be told without waiting."""

    path: Path
    platform: str
    service_account: str
    account: str
    callback_token: str
    requests: list[Request]
    is_cut: bool

    @property
    def name(self) -> str:
        return str(self.path.relative_to(CASES).with_suffix(""))


def read_case(path: Path, number: int) -> Case:
    parts = WAIT.split(path.read_bytes())
    outcomes = re.split(r"\n### \+\d+s\n", path.with_suffix(".expect").read_text("utf-8"))
    waits = [0] + [int(seconds) for seconds in parts[1::2]]
    requests, service_account, is_cut = [], "", False
    for wait, part, outcome in zip(waits, parts[0::2], outcomes, strict=True):
        if wait > 0:
            is_cut = True
            break
        head, body = part.split(b"\n\n", 1)
        lines = [line for line in head.decode("utf-8").split("\n") if not line.startswith("#")]
        service_account, callback = re.fullmatch(r"POST /callbacks/([^/]+)/\{token\}/(\S+) HTTP/1.1", lines[0]).groups()
        status, events = read_outcome(outcome)
        requests.append(Request(callback, lines[1:], body, status, events))
    platform = path.relative_to(CASES).parts[0]
    token = CANARIES["consumer-callback-token"] + f"{number:03}"
    return Case(path, platform, service_account, f"case-{number:03}", token, requests, is_cut)


def read_outcome(text: str) -> tuple[int, list[dict]]:
    """The status that a request is answered with, and the events that come of it."""
    status = 401 if re.search(r"^outcome   refused: ", text, re.MULTILINE) else 200
    decoder = json.JSONDecoder()
    starts = [found.end() for found in re.finditer(r"^event     ", text, re.MULTILINE)]
    return status, [decoder.raw_decode(text, start)[0] for start in starts]


def send(case: Case, request: Request, base_url: str, folder: Path) -> str | None:
    """Delivers a request; returns what is wrong with the answer."""
    body = folder / "body"
    body.write_bytes(request.body)
    # An empty one takes away what curl would add by itself.
    headers = {"content-type": "", "expect": ""}
    for header in request.headers:
        name, value = header.split(":", 1)
        headers[name.lower()] = value
    for ours in ("host", "connection", "content-length"):
        headers.pop(ours, None)
    command = ["curl", "--silent", "--show-error", "--http1.1", "--max-time", "10", "--request", "POST"]
    for name, value in headers.items():
        command += ["--header", f"{name}:{value}"]
    command += ["--data-binary", f"@{body}", "--write-out", "%{http_code} %{size_download}"]
    url = f"{base_url}/callbacks/{case.account}/{case.callback_token}/{request.callback}"
    answer = subprocess.run([*command, "--output", os.devnull, url], capture_output=True, text=True)
    if answer.returncode != 0:
        return f"curl: {answer.stderr.strip()}"
    status, size = answer.stdout.split()
    if int(status) != request.status:
        return f"answered {status} instead of {request.status}"
    if status == "200" and size != "0":
        return f"200 came with a body of {size} bytes"
    return None


def differences(case: Case, seen: list[dict], prefix: str) -> list[str]:
    """What is wrong with the events of a case's account, given in the order of `sequence`."""
    expected = [event for request in case.requests for event in request.events]
    types = [[event["type"] for event in events] for events in (expected, [one["event"] for one in seen])]
    if types[0] != types[1]:
        return [f"expected {types[0]}, saw {types[1]}"]
    found = []
    for want, one in zip(expected, seen, strict=True):
        event = one["event"]
        subject = f"{prefix}.{case.platform}.{case.account}.{want['type'].removeprefix('live.')}"
        if one["js_subject"] != subject:
            found.append(f"expected the subject {subject}, saw {one['js_subject']}")
        for name in ("subject", "partitionkey", "datacontenttype", "dataschema", "via", "proof"):
            if event[name] != want[name]:
                found.append(f"{name}: expected {want[name]!r}, saw {event[name]!r}")
        # Where the platform gives no time, it is ours.
        time_expected = event["recordedtime"] if want["time"] == want["recordedtime"] else want["time"]
        if event["time"] != time_expected:
            found.append(f"time: expected {time_expected}, saw {event['time']}")
        if event["data"] != want["data"]:
            found.append(f"data: expected {json.dumps(want['data'])}, saw {json.dumps(event['data'])}")
    return found


def configuration(cases: list[Case], public: int, admin: int, bus: str, folder: Path) -> tuple[str, dict[str, str]]:
    """livehook.toml with one account per case, and the environment that holds its secrets."""
    lines = [
        "[http]",
        f'public_listen = "127.0.0.1:{public}"',
        f'admin_listen = "127.0.0.1:{admin}"',
        "[bus]",
        f'servers = ["{bus}"]',
        "[store]",
        f"dir = {json.dumps(str(folder / 'data'))}",
    ]
    environment = {"GATE_WEBHOOK_SECRET": WEBHOOK_SECRET, "GATE_SECURITY_KEY": CANARIES["consumer-security-key"]}
    environment["GATE_USER_KEY"] = "EXAMPLE_CUSTOM_KEY"
    environment["GATE_PSEUDONYM_KEY"] = "example-pseudonym-key"
    for case in cases:
        variable = f"GATE_{case.account.upper().replace('-', '_')}"
        environment[variable] = case.callback_token
        lines += [
            f"[accounts.{case.account}]",
            f'platform = "{case.platform}"',
            f'service_account = "{case.service_account.removesuffix("-odd")}"',
            f'callback_tokens = [{{ env = "{variable}" }}]',
        ]
        if case.platform == "livedigital":
            lines.append('webhook_secret = { env = "GATE_WEBHOOK_SECRET" }')
        if case.service_account.endswith("-odd"):
            # Its viewers have pseudonyms.
            lines += [
                'security_key = { env = "GATE_SECURITY_KEY" }',
                'user_key = { env = "GATE_USER_KEY" }',
                'on_no_answer = "deny"',
                f"[accounts.{case.account}.questions]",
                'pseudonym_key = { env = "GATE_PSEUDONYM_KEY" }',
            ]
    return "\n".join(lines) + "\n", environment


@contextmanager
def working_folder():
    """A folder that is gone afterwards, unless somebody wants to see what the tests leave behind."""
    kept = os.environ.get("LIVEHOOK_REMAINS")
    folder = Path(tempfile.mkdtemp(prefix="livehook-", dir=kept))
    try:
        yield folder
    finally:
        if not kept:
            shutil.rmtree(folder)
        # Space that livehook holds in reserve: nothing is written there.
        for reserve in folder.rglob("ballast"):
            reserve.unlink()


def look_at(admin: int, folder: Path):
    """Leaves what the admin listener says, to be searched."""
    with (folder / "admin answers").open("ab") as record:
        for path in ("metrics", "readyz", "connect", *(f"api/v1/{name}" for name in ("events", "watches", "credentials"))):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{admin}/{path}", timeout=5) as answer:
                    record.write(answer.read())
            except OSError as error:
                record.write(f"{path}: {error}\n".encode())


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]


def start(stack: ExitStack, command: list[str], log: Path, **options) -> subprocess.Popen:
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=stack.enter_context(log.open("wb")), stderr=subprocess.STDOUT, **options
    )

    def end():
        if process.poll() is None:
            process.kill()
        process.wait()

    stack.callback(end)
    return process


def wait_until(is_true, process: subprocess.Popen, log: Path, seconds: float = 20):
    deadline = time.monotonic() + seconds
    while not is_true():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-20:])
            sys.exit(f"{process.args[0]} did not start within {seconds} s; the end of its log:\n{tail}")
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start_both(stack: ExitStack, options, folder: Path, configure) -> tuple[str, int, subprocess.Popen, Callable]:
    """A nats-server, and a livehook with what `configure(public, admin, bus, folder)` says; the bus's URL, the public
    port, livehook, and a look at its admin listener, to be taken before it ends."""
    bus_port, public, admin = free_ports(3)
    bus = f"nats://127.0.0.1:{bus_port}"
    text, environment = configure(public, admin, bus, folder)
    (folder / "livehook.toml").write_text(text, "utf-8")
    nats_log, log = folder / "nats-server.log", folder / "livehook.log"
    command = [options.nats_server, "-a", "127.0.0.1", "-p", str(bus_port), "-js", "-sd", str(folder / "jetstream")]
    nats = start(stack, command, nats_log)
    wait_until(lambda: accepts(bus_port), nats, nats_log)
    command = [options.livehook, "run", "--config", str(folder / "livehook.toml")]
    livehook = start(stack, command, log, env={**os.environ, **environment})
    wait_until(lambda: answers(f"http://127.0.0.1:{admin}/readyz"), livehook, log)
    return bus, public, livehook, partial(look_at, admin, folder)


def run(options, cases: list[Case], folder: Path) -> dict[str, list[str]]:
    """What is wrong, by case; the parts that belong to no case are under an empty name."""
    wrong: dict[str, list[str]] = {"": []}
    expected = sum(len(request.events) for case in cases for request in case.requests)
    with ExitStack() as stack:
        log = folder / "livehook.log"
        bus, public, livehook, look = start_both(stack, options, folder, lambda *where: configuration(cases, *where))

        for case in cases:
            for request in case.requests:
                complaint = send(case, request, f"http://127.0.0.1:{public}", folder)
                if complaint:
                    wrong.setdefault(case.name, []).append(complaint)

        output = folder / "consumed.json"
        command = [sys.executable, str(Path(__file__).with_name("consume.py")), "--server", bus]
        command += ["--count", str(expected), "--timeout", "30", "--output", str(output)]
        if subprocess.run(command).returncode == 2:
            sys.exit("the consumer cannot read the bus")

        look()
        livehook.send_signal(signal.SIGTERM)
        try:
            if livehook.wait(timeout=30) != 0:
                wrong[""].append(f"livehook ended with exit code {livehook.returncode} after SIGTERM")
        except subprocess.TimeoutExpired:
            wrong[""].append("livehook did not end within 30 s after SIGTERM")
        if wrong[""]:
            print(log.read_text("utf-8", "replace")[-4000:])

    consumed = json.loads(output.read_text("utf-8"))
    wrong[""] += consumed["violations"]
    by_account: dict[str, list[dict]] = {}
    for one in consumed["events"]:
        if one["event"]:
            by_account.setdefault(one["event"]["source"].rsplit("/", 1)[1], []).append(one)
    for case in cases:
        seen = sorted(by_account.pop(case.account, []), key=lambda one: one["event"]["sequence"])
        found = differences(case, seen, "live")
        if found:
            wrong.setdefault(case.name, []).extend(found)
    wrong[""] += [f"events of {account}, which is no case's account" for account in by_account]
    return wrong


def options(about: str, name: str) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"example: python {name} --livehook target/debug/livehook --nats-server /usr/sbin/nats-server",
    )
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--livehook", default=str(target / "debug" / "livehook"), help="the program under test")
    parser.add_argument(
        "--nats-server",
        default=os.environ.get("LIVEHOOK_NATS_SERVER", "nats-server"),
        help="the bus; default: LIVEHOOK_NATS_SERVER, else the one on PATH",
    )
    return parser.parse_args()


def main() -> int:
    chosen = options(__doc__, "gate.py")
    # What livehook must answer with more than 200 is the business of questions.py.
    paths = [path for path in sorted(CASES.glob("*/*/*.http")) if path.parent.name not in ASKING]
    cases = [read_case(path, number) for number, path in enumerate(paths, 1)]
    with working_folder() as folder:
        wrong = run(chosen, cases, folder)

    for name, complaints in wrong.items():
        for complaint in complaints:
            print(f"FAILED {name or 'the whole'}: {complaint}")
    cut = sum(case.is_cut for case in cases)
    sent = sum(len(case.requests) for case in cases)
    print(f"{sent} requests of {len(cases)} cases were sent; {cut} cases only up to the first wait")
    # The whole counts as one: the consumer's checks, and the end of livehook.
    failed = sum(bool(complaints) for complaints in wrong.values())
    print(f"{len(cases) + 1 - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
