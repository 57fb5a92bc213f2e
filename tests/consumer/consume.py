"""A consumer of livehook's events, written only with public packages; it checks what the contract promises.

It reads the JetStream streams from their beginning, prints a line for each event and at the end a summary
as JSON. For every message it checks that

- the `cloudevents` package parses it, and gives back the same attributes and data;
- `Content-Type` and `Nats-Msg-Id` are as promised, and the subject follows from `source` and `type`;
- the whole event, and its `data` alone, fit the JSON Schema that `dataschema` names;
- `sequence` is used once per account and grows along the events of one entity, and no `id` comes twice.

Exit code: 0 when all is as promised, 1 when something is not, 2 when the bus cannot be read.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import nats
import nats.errors
import nats.js.errors
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

JS_STREAMS = ("LIVE", "LIVE_PLAYBACK")
SCHEMAS = Path(__file__).resolve().parents[2] / "schemas" / "events"


class Schemas:
    """The published schemas, found by their `$id`, which is the `dataschema` of the events."""

    def __init__(self, folder: Path):
        documents = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.schema.json"))]
        if not documents:
            raise FileNotFoundError(f"no *.schema.json in {folder}")
        for document in documents:
            Draft202012Validator.check_schema(document)
        self.ids = {document["$id"] for document in documents}
        self.registry = Registry().with_resources(
            (document["$id"], Resource.from_contents(document)) for document in documents
        )

    def complaints(self, reference: str, instance) -> list[str]:
        validator = Draft202012Validator(
            {"$ref": reference}, registry=self.registry, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(instance)]


class Checks:
    """Everything that one event, or one event after another, must be."""

    def __init__(self, prefix: str, schemas: Schemas):
        self.prefix = prefix
        self.schemas = schemas
        self.ids = set()
        self.sequences = set()
        self.latest = {}

    def violations(self, subject: str, headers: dict[str, str], body: bytes) -> tuple[dict | None, list[str]]:
        """The event, unless it cannot be parsed, and what is wrong with it."""
        try:
            event = json.loads(body)
            parsed = from_structured_event(HTTPMessage(headers=headers, body=body))
        except Exception as error:  # whatever a consumer's parser refuses is our fault
            return None, [f"cannot be parsed: {type(error).__name__}: {error}"]
        found = list(self._of_schema(event))
        if not found:
            found += self._of_message(event, parsed, subject, headers)
            found += self._of_order(event)
        return event, found

    def _of_schema(self, event):
        schema = event.get("dataschema")
        if schema not in self.schemas.ids:
            yield f"dataschema {schema!r} is not in schemas/"
            return
        for complaint in self.schemas.complaints("urn:livehook:schema:envelope:1", event):
            yield f"envelope schema: {complaint}"
        for complaint in self.schemas.complaints(schema, event):
            yield f"event schema: {complaint}"
        for complaint in self.schemas.complaints(f"{schema}#/$defs/Data", event.get("data")):
            yield f"data schema: {complaint}"

    def _of_message(self, event, parsed, subject, headers):
        if parsed.get_data() != event["data"]:
            yield "the cloudevents package reads other data"
        for name in set(event) - {"data", "time"}:
            if parsed.get_attributes().get(name) != event[name]:
                yield f"the cloudevents package reads another {name}"
        if headers.get("Content-Type") != "application/cloudevents+json":
            yield f"Content-Type is {headers.get('Content-Type')!r}"
        if headers.get("Nats-Msg-Id") != event["id"]:
            yield f"Nats-Msg-Id is {headers.get('Nats-Msg-Id')!r}, id is {event['id']!r}"
        source = urlsplit(event["source"])
        expected = f"{self.prefix}.{source.netloc}{source.path.replace('/', '.')}.{event['type'].removeprefix('live.')}"
        if subject != expected:
            yield f"the subject should be {expected}"
        entity = event["data"][event["type"].split(".")[1]]
        if event["subject"] != f"{event['type'].split('.')[1]}/{entity['id']}":
            yield f"the event is about {event['subject']}, its data about {entity['id']!r}"
        if event["partitionkey"] != event["subject"]:
            yield "partitionkey differs from subject"

    def _of_order(self, event):
        if event["id"] in self.ids:
            yield f"id {event['id']} came before"
        self.ids.add(event["id"])
        place = (event["source"], event["sequence"])
        if place in self.sequences:
            yield f"sequence {event['sequence']} of {event['source']} came before"
        self.sequences.add(place)
        entity = (event["source"], event["partitionkey"])
        if event["sequence"] <= self.latest.get(entity, ""):
            yield f"sequence {event['sequence']} came after {self.latest[entity]} of the same entity"
        self.latest[entity] = event["sequence"]


async def read(js, js_stream: str, prefix: str, is_done):
    """Yields the messages of a stream from its beginning, until `is_done()`."""
    messages = await js.subscribe(f"{prefix}.>", stream=js_stream, ordered_consumer=True)
    while not is_done():
        try:
            yield await messages.next_msg(timeout=0.2)
        except asyncio.TimeoutError:
            continue


async def consume(options) -> dict:
    checks = Checks(options.prefix, Schemas(options.schemas))
    events, violations = [], []
    deadline = quiet_since = time.monotonic()
    deadline += options.timeout

    def is_done():
        is_quiet = time.monotonic() - quiet_since > options.quiet
        return time.monotonic() > deadline or (is_quiet and len(events) >= options.count)

    async def take(js, js_stream):
        nonlocal quiet_since
        async for message in read(js, js_stream, options.prefix, is_done):
            quiet_since = time.monotonic()
            event, found = checks.violations(message.subject, message.headers or {}, message.data)
            events.append({"js_stream": js_stream, "js_subject": message.subject, "event": event})
            print(f"{js_stream:13} {message.subject:60} {(event or {}).get('subject')}", flush=True)
            for violation in found:
                violations.append(f"{js_stream} {message.subject}: {violation}")
                print(f"  VIOLATION {violation}", flush=True)

    async def say_nothing(_error):
        """Errors are raised as well; the default would print each of them with its traceback."""

    connection = await nats.connect(
        options.server, connect_timeout=5, allow_reconnect=False, max_reconnect_attempts=1, error_cb=say_nothing
    )
    try:
        js = connection.jetstream()
        await asyncio.gather(*(take(js, js_stream) for js_stream in JS_STREAMS))
    finally:
        await connection.close()
    if len(events) < options.count:
        violations.append(f"{len(events)} events came, {options.count} were expected")
    return {"events": events, "violations": violations}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python consume.py --server nats://127.0.0.1:4222 --count 40 --timeout 30",
    )
    parser.add_argument("--server", default="nats://127.0.0.1:4222", help="URL of the NATS server, with credentials")
    parser.add_argument("--prefix", default="live", help="bus.prefix of livehook's configuration")
    parser.add_argument("--schemas", type=Path, default=SCHEMAS, help="folder of the event schemas")
    parser.add_argument("--count", type=int, default=0, help="wait for at least so many events; fewer are a violation")
    parser.add_argument("--quiet", type=float, default=2.0, help="then stop when nothing came for so many seconds")
    parser.add_argument("--timeout", type=float, default=60.0, help="stop after so many seconds, whatever comes")
    parser.add_argument("--output", type=Path, help="write all events and violations to this file as JSON")
    options = parser.parse_args()
    try:
        result = asyncio.run(consume(options))
    except (OSError, nats.errors.Error, nats.js.errors.Error) as error:
        print(f"{options.server} cannot be read: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    if options.output:
        options.output.write_text(json.dumps(result, ensure_ascii=False, indent=2), "utf-8")
    types = [taken["event"]["type"] for taken in result["events"] if taken["event"]]
    summary = {
        "events": len(result["events"]),
        "violations": len(result["violations"]),
        "types": {name: types.count(name) for name in sorted(set(types))},
    }
    print(json.dumps(summary))
    return 1 if result["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
