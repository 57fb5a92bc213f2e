"""Sends every question of tests/platforms to a running livehook and reads the answers as a player would.

A nats-server and a livehook are started in a temporary folder. Each case is posted with curl byte for byte to an
account of its own; a decision service written with the public `nats-py` gives the replies that the case names; PyJWT
verifies the answers; what was asked and what was answered must be what the `.expect` file beside the case says, and
where the platform's documentation prints an answer, it must come out byte for byte. Then the decision services of
deploy/examples/decide answer, each where its runtime is on this machine.

A case that waits (`### +2s`) is sent without waiting.

The last line counts: "N passed, N failed". Exit code 0 when nothing failed.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import jwt
import nats

import gate

SECURITY_KEY = "example-security-key"
USER_KEY = "EXAMPLE_CUSTOM_KEY"
DECIDE = gate.ROOT / "deploy" / "examples" / "decide"
# What differs from one time to the next.
FLEETING = ("latency_ms", "question_id")

# The answers that the platform's documentation prints, for the key above.
HEADER = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."
PRINTED = {
    "kollus/vod-play/begin": HEADER
    + "eyJkYXRhIjp7InJlc3VsdCI6MSwiZXhwaXJhdGlvbl9kYXRlIjoxODkzNDU1OTk5fX0."
    + "uw4pZuU2E21Dmv3cW_zcgTSTF9rjVTHESjusjH6MjOY",
    "kollus/vod-play/ready-refused": HEADER
    + "eyJkYXRhIjp7InJlc3VsdCI6MCwiY29udGVudF9leHBpcmVkIjowLCJtZXNzYWdlIjoibm90IGVucm9sbGVkIn19."
    + "mOeC0Cpx-d16vbKbDkdmNYq7eMJ6QDEakt-hiDDkPKw",
    "kollus/download/two-kinds": HEADER
    + "eyJkYXRhIjpbeyJraW5kIjoxLCJtZWRpYV9jb250ZW50X2tleSI6InZuQ1ZQeVZ4IiwicmVzdWx0IjoxLCJleHBpcmF0aW9uX2RhdGUi"
    + "OjE3NzAwMDAwMDAsImV4cGlyYXRpb25fY291bnQiOjEwLCJleHBpcmF0aW9uX3BsYXl0aW1lIjowfSx7ImtpbmQiOjMsIm1lZGlhX2Nv"
    + "bnRlbnRfa2V5IjoiUW00VHpXMWsiLCJzZXNzaW9uX2tleSI6IjVmMWU5YyIsInN0YXJ0X2F0IjoxNzY4MzY1MDAwLCJyZXN1bHQiOjEs"
    + "ImNvbnRlbnRfZXhwaXJlZCI6MCwiY29udGVudF9kZWxldGUiOjAsImNvbnRlbnRfZXhwaXJlX3Jlc2V0IjowfV19."
    + "BpWDLKpLs6EkB7nR8W9XQyEWyLNsD_VUa7bTB3hRsgA",
}


@dataclass
class Request:
    """A request of a case, what it asks, what is replied, and what must be answered."""

    callback: str
    headers: list[str]
    body: bytes
    asked: list[tuple[str, dict]]
    replies: list[str]
    answer: object
    is_answered: bool
    events: list[dict]


@dataclass
class Case:
    """Questions that one account is asked."""

    path: Path
    platform: str
    service_account: str
    is_odd: bool
    policy: str
    account: str
    callback_token: str
    requests: list[Request]

    @property
    def name(self) -> str:
        return str(self.path.relative_to(gate.CASES).with_suffix(""))


def read_case(path: Path, number: int) -> Case:
    parts = gate.WAIT.split(path.read_bytes())[0::2]
    outcomes = re.split(r"\n### \+\d+s\n", path.with_suffix(".expect").read_text("utf-8"))
    requests, policy, name = [], "deny", ""
    for part, outcome in zip(parts, outcomes, strict=True):
        head, body = part.split(b"\n\n", 1)
        lines = head.decode("utf-8").split("\n")
        comments = [line[1:].strip() for line in lines if line.startswith("#")]
        lines = [line for line in lines if not line.startswith("#")]
        name, callback = re.fullmatch(r"POST /callbacks/([^/]+)/\{token\}/(\S+) HTTP/1.1", lines[0]).groups()
        replies = [comment.removeprefix("reply: ") for comment in comments if comment.startswith("reply: ")]
        if "policy: allow" in comments:
            policy = "allow"
        asked = re.findall(r"^asked     (\S+) (\{.*\})$", outcome, re.MULTILINE)
        asked = [(question, json.loads(fields)) for question, fields in asked]
        answer = re.search(r"^answer    (.*)$", outcome, re.MULTILINE)
        _, events = gate.read_outcome(outcome)
        expected = json.loads(answer[1]) if answer else None
        requests.append(Request(callback, lines[1:], body, asked, replies, expected, answer is not None, events))
    account, platform = f"case-{number:03}", path.relative_to(gate.CASES).parts[0]
    service_account = name.removesuffix("-odd")
    token = gate.CANARIES["asked-callback-token"] + f"{number:03}"
    return Case(path, platform, service_account, name.endswith("-odd"), policy, account, token, requests)


def configuration(cases: list[Case], public: int, admin: int, bus: str, folder: Path) -> tuple[str, dict[str, str]]:
    """livehook.toml with one account per case and one for the examples, and the environment with its secrets."""
    lines = [
        "[http]",
        f'public_listen = "127.0.0.1:{public}"',
        f'admin_listen = "127.0.0.1:{admin}"',
        "drain_seconds = 0",
        "[bus]",
        f'servers = ["{bus}"]',
        "[store]",
        f"dir = {json.dumps(str(folder / 'data'))}",
    ]
    environment = {"SECURITY_KEY": SECURITY_KEY, "USER_KEY": USER_KEY, "PSEUDONYM_KEY": "example-pseudonym-key"}
    for case in cases:
        variable = f"TOKEN_{case.account.upper().replace('-', '_')}"
        environment[variable] = case.callback_token
        lines += [
            f"[accounts.{case.account}]",
            f'platform = "{case.platform}"',
            f'service_account = "{case.service_account}"',
            f'callback_tokens = [{{ env = "{variable}" }}]',
            'security_key = { env = "SECURITY_KEY" }',
            'user_key = { env = "USER_KEY" }',
            f'on_no_answer = "{case.policy}"',
        ]
        if case.is_odd:
            lines += [
                f"[accounts.{case.account}.questions]",
                'pseudonym_key = { env = "PSEUDONYM_KEY" }',
                'play_section = "list"',
                'live_play_answer = "list"',
                'next_episode_fields = { CID = "media_content_key", member = "client_user_id", course = "user_values.course" }',
                'next_episode_answer = { content_key = "next_mck", url = "next_url" }',
            ]
    return "\n".join(lines) + "\n", environment


@dataclass
class Service:
    """A decision service that replies what it is told to, and remembers what it was asked."""

    bus: nats.NATS
    replies: list[str] = field(default_factory=list)
    asked: list[tuple[str, dict]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def answer(self, message):
        question = json.loads(message.data)
        if message.headers.get("Livehook-Question-Id") != question.pop("id"):
            self.complaints.append("header Livehook-Question-Id and id differ")
        if "Livehook-Deadline" not in message.headers:
            self.complaints.append("there is no header Livehook-Deadline")
        subject = ".".join(["ask", question.pop("platform"), question.pop("account"), question["question"]])
        if message.subject != subject:
            self.complaints.append(f"{message.subject} is not {subject}")
        self.asked.append((question.pop("question"), question))
        if self.replies:
            await message.respond(self.replies.pop(0).encode())

    async def serve(self, request: Request, case: Case):
        """Subscribes as long as the request lasts, if the case has a reply at all."""
        self.replies, self.asked, self.complaints = list(request.replies), [], []
        subject = f"ask.{case.platform}.{case.account}.>"
        return await self.bus.subscribe(subject, queue="decide", cb=self.answer) if request.replies else None


def post(url: str, headers: list[str], body: bytes, folder: Path) -> tuple[int, dict[str, str], bytes]:
    """Status, header and body of the answer."""
    (folder / "body").write_bytes(body)
    sent = {"content-type": "", "expect": ""}
    for header in headers:
        name, value = header.split(":", 1)
        sent[name.lower()] = value
    for ours in ("host", "connection", "content-length"):
        sent.pop(ours, None)
    command = ["curl", "--silent", "--show-error", "--http1.1", "--max-time", "10", "--request", "POST"]
    for name, value in sent.items():
        command += ["--header", f"{name}:{value}"]
    command += ["--data-binary", f"@{folder / 'body'}", "--dump-header", str(folder / "head")]
    command += ["--output", str(folder / "answer"), url]
    subprocess.run(command, check=True)
    status, *fields = (folder / "head").read_text("utf-8").strip().split("\n")
    pairs = (line.split(":", 1) for line in fields if ":" in line)
    return int(status.split()[1]), {name.lower(): value.strip() for name, value in pairs}, (folder / "answer").read_bytes()


def wrong_with_answer(name: str, request: Request, status: int, headers: dict[str, str], body: bytes) -> list[str]:
    if status != 200:
        return [f"answered {status}"]
    if not request.is_answered:
        return [] if body == b"" else [f"a try of the URL was answered with {len(body)} bytes"]
    found = []
    if headers.get("content-type") != "text/plain; charset=utf-8" or headers.get("x-kollus-userkey") != USER_KEY:
        found.append(f"the header is {headers}")
    token = body.decode("ascii", "replace")
    if name in PRINTED and token != PRINTED[name]:
        found.append(f"the documentation prints {PRINTED[name]}, the answer is {token}")
    try:
        header = jwt.get_unverified_header(token)
        payload = jwt.decode(token, SECURITY_KEY, algorithms=["HS256"])
    except jwt.InvalidTokenError as error:
        return [*found, f"PyJWT refuses {token!r}: {error}"]
    if header != {"typ": "JWT", "alg": "HS256"}:
        found.append(f"the token's header is {header}")
    if json.dumps(payload) != json.dumps({"data": request.answer}):
        found.append(f"expected {json.dumps(request.answer)}, the answer is {json.dumps(payload)}")
    return found


async def ask_cases(cases: list[Case], bus_url: str, public: int, folder: Path, wrong: dict[str, list[str]]):
    bus = await nats.connect(bus_url)
    # Ready is who takes callbacks; the connection over which questions are asked comes a moment later.
    await asyncio.sleep(2)
    service = Service(bus)
    for case in cases:
        found = wrong.setdefault(case.name, [])
        for request in case.requests:
            subscription = await service.serve(request, case)
            await bus.flush()
            url = f"http://127.0.0.1:{public}/callbacks/{case.account}/{case.callback_token}/{request.callback}"
            answered = await asyncio.to_thread(post, url, request.headers, request.body, folder)
            if subscription:
                await subscription.unsubscribe()
                if service.asked != request.asked:
                    found.append(f"expected to be asked {request.asked}, was asked {service.asked}")
            found += service.complaints + wrong_with_answer(case.name, request, *answered)
    await bus.close()


def steady(event: dict) -> dict:
    """The event without what differs from one time to the next."""
    event = json.loads(json.dumps(event))
    for entity in event["data"].values():
        decision = entity.get("decision") if isinstance(entity, dict) else None
        for name in FLEETING if isinstance(decision, dict) else ():
            decision.pop(name, None)
    return event


def consumed(bus_url: str, count: int, folder: Path) -> dict:
    output = folder / "consumed.json"
    command = [sys.executable, str(Path(__file__).with_name("consume.py")), "--server", bus_url]
    command += ["--count", str(count), "--timeout", "30", "--output", str(output)]
    if subprocess.run(command).returncode == 2:
        sys.exit("the consumer cannot read the bus")
    return json.loads(output.read_text("utf-8"))


def compare_events(cases: list[Case], bus_url: str, folder: Path, wrong: dict[str, list[str]]):
    expected = sum(len(request.events) for case in cases for request in case.requests)
    read = consumed(bus_url, expected, folder)
    wrong[""] += read["violations"]
    by_account: dict[str, list[dict]] = {}
    for one in read["events"]:
        if one["event"]:
            one["event"] = steady(one["event"])
            by_account.setdefault(one["event"]["source"].rsplit("/", 1)[1], []).append(one)
    for case in cases:
        for request in case.requests:
            request.events = [steady(event) for event in request.events]
        seen = sorted(by_account.pop(case.account, []), key=lambda one: one["event"]["sequence"])
        wrong[case.name] += gate.differences(case, seen, "live")


def examples(folder: Path) -> dict[str, list[str] | None]:
    """How to start each example, by language; None for one that cannot run here, with the reason in LIVEHOOK_SKIPPED."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", gate.ROOT / "target"))
    ways = {
        "python": [sys.executable, str(DECIDE / "python" / "decide.py")],
        "rust": [str(target / "debug" / "examples" / "decide")],
    }
    typescript = folder / "typescript"
    shutil.copytree(DECIDE / "typescript", typescript, ignore=shutil.ignore_patterns("node_modules"))
    npm = shutil.which("npm")
    if npm and run([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], typescript):
        if run([npm, "run", "build"], typescript):
            ways["typescript"] = ["node", str(typescript / "decide.js")]
        else:
            sys.exit("the example in TypeScript does not compile")
    else:
        ways["typescript"] = skip("the example in TypeScript: npm is missing or cannot install its packages")
    go, go_folder = shutil.which("go"), folder / "go"
    shutil.copytree(DECIDE / "go", go_folder)
    binary = str(go_folder / "decide")
    # With modules, or with the packages of the distribution.
    if go and (
        (run([go, "mod", "tidy"], go_folder) and run([go, "build", "-o", binary, "."], go_folder))
        or run([go, "build", "-o", binary, "decide.go"], go_folder, GO111MODULE="off", GOPATH="/usr/share/gocode")
    ):
        ways["go"] = [binary]
    else:
        ways["go"] = skip("the example in Go: Go or its NATS client is missing")
    return ways


def run(command: list[str], folder: Path, **environment: str) -> bool:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, **environment})
    if done.returncode != 0:
        print(f"{' '.join(command)}: {(done.stdout + done.stderr)[-400:]}")
    return done.returncode == 0


def skip(why: str) -> None:
    """Says so; who counts takes it off what has passed."""
    print(f"skipped: {why}")
    if os.environ.get("LIVEHOOK_SKIPPED"):
        with open(os.environ["LIVEHOOK_SKIPPED"], "a", encoding="utf-8") as skipped:
            skipped.write(why + "\n")


def try_example(command: list[str], case: Case, bus_url: str, public: int, folder: Path) -> list[str]:
    """What is wrong with the answers that this service leads to."""
    url = f"http://127.0.0.1:{public}/callbacks/{case.account}/{case.callback_token}"
    form = ["Content-Type: application/x-www-form-urlencoded"]

    def asked(callback: str, body: str) -> object:
        status, _, answer = post(f"{url}/{callback}", form, body.encode(), folder)
        return jwt.decode(answer, SECURITY_KEY, algorithms=["HS256"])["data"] if status == 200 else status

    play = "kind=1&client_user_id={}&player_id=8A1F00C2&hardware_id=&device_name=Phone&media_content_key=vnCVPyVx"
    item = '{"kind":1,"client_user_id":"user-42","player_id":"8A1F00C2","device_name":"Phone","media_content_key":"vnCVPyVx"}'
    with ExitStack() as stack:
        log = folder / "example.log"
        service = gate.start(stack, command, log, env={**os.environ, "NATS_URL": bus_url})
        gate.wait_until(lambda: "deciding" in log.read_text("utf-8", "replace"), service, log)
        now = time.time()
        begins, blocked = asked("vod-play", play.format("user-42")), asked("vod-play", play.format("user-13"))
        stored = asked("download", f"items=[{item}]")
        following, last = asked("next-episode", "mck=vnCVPyVx"), asked("next-episode", "mck=Qm4TzW1k")
    found = []
    is_soon = lambda element: abs(element.get("expiration_date", 0) - now - 3600) < 60
    if not (isinstance(begins, dict) and begins["result"] == 1 and is_soon(begins)):
        found.append(f"play: {begins}")
    if blocked != {"result": 0, "message": "Your subscription has ended."}:
        found.append(f"play of somebody who may not: {blocked}")
    if not (isinstance(stored, list) and [(one["result"], one.get("expiration_count")) for one in stored] == [(1, 10)]):
        found.append(f"download: {stored}")
    if following != {"result": 1, "media_content_key": "Qm4TzW1k"} or last != {"result": 0}:
        found.append(f"next-episode: {following}, {last}")
    return found


def main() -> int:
    options = gate.options(__doc__, Path(__file__).name)
    cases = [path for callback in gate.ASKING for path in sorted(gate.CASES.glob(f"*/{callback}/*.http"))]
    cases = [read_case(path, number) for number, path in enumerate(cases, 1)]
    played = Case(Path(), "kollus", "acme", False, "refuse", "examples", "e" * 22, [])
    wrong: dict[str, list[str]] = {"": []}
    with gate.working_folder() as folder, ExitStack() as stack:
        ways = examples(folder)
        bus_url, public, _, look = gate.start_both(stack, options, folder, lambda *where: configuration([*cases, played], *where))
        asyncio.run(ask_cases(cases, bus_url, public, folder, wrong))
        compare_events(cases, bus_url, folder, wrong)
        for language, command in ways.items():
            tried = try_example(command, played, bus_url, public, folder) if command else []
            wrong[f"the example in {language}"] = tried
        look()
        if any(wrong.values()):
            print((folder / "livehook.log").read_text("utf-8", "replace")[-4000:])
    for name, complaints in wrong.items():
        for complaint in complaints:
            print(f"FAILED {name or 'the whole'}: {complaint}")
    failed = sum(bool(complaints) for complaints in wrong.values())
    print(f"{sum(len(case.requests) for case in cases)} requests of {len(cases)} cases; examples in {', '.join(language for language, way in ways.items() if way)}")
    print(f"{len(wrong) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
