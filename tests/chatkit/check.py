"""Holds a transcript to the types of the ChatKit package.

    python check.py transcript.jsonl

Each line is a request with what came of it (record in record_test.go). Every
event and every answer must parse, strictly, and be what the package's server
would write of what it parsed: so no field is missing, extra or null. Prints
what is wrong by scenario, step, event and field; then ends with 1.
"""

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from chatkit.types import (
    Attachment,
    Page,
    SyncCustomActionResponse,
    Thread,
    ThreadItem,
    ThreadStreamEvent,
    TranscriptionResult,
)
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError


class Nothing(BaseModel):
    """The answer {}."""

    model_config = ConfigDict(extra="forbid")


EVENT = TypeAdapter(ThreadStreamEvent)
ANSWERS = {
    kind: TypeAdapter(model)
    for kind, model in {
        "threads.get_by_id": Thread,
        "threads.list": Page[Thread],
        "threads.update": Thread,
        "threads.delete": Nothing,
        "items.list": Page[ThreadItem],
        "items.feedback": Nothing,
        "attachments.create": Attachment,
        "attachments.delete": Nothing,
        "input.transcribe": TranscriptionResult,
        "threads.sync_custom_action": SyncCustomActionResponse,
    }.items()
}
STREAMS = {
    "threads.create",
    "threads.add_user_message",
    "threads.add_client_tool_output",
    "threads.add_structured_input",
    "threads.retry_after_item",
    "threads.custom_action",
}
HIDDEN = {"hidden_context_item", "sdk_hidden_context"}


def wrong(adapter: TypeAdapter, value: Any) -> Iterator[str]:
    """What is wrong with a value that should be of a type of the package."""
    raw = json.dumps(value)
    try:
        parsed = adapter.validate_json(raw, strict=True)
    except ValidationError as problem:
        for error in problem.errors(include_url=False):
            yield f"{'.'.join(map(str, error['loc']))}: {error['msg']}"
        return
    # As ChatKitServer._serialize does.
    written = adapter.dump_json(
        parsed, by_alias=True, exclude_none=True, context={"exclude_metadata": True}
    )
    yield from differences("", json.loads(written), value)
    yield from hidden("", value)


def differences(path: str, want: Any, got: Any) -> Iterator[str]:
    """Where two JSON values differ."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key in want.keys() | got.keys():
            place = f"{path}.{key}" if path else key
            if key not in got:
                yield f"{place} is missing; the package writes {want[key]!r}"
            elif key not in want:
                yield f"{place} is extra: {got[key]!r}"
            else:
                yield from differences(place, want[key], got[key])
    elif isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for n, pair in enumerate(zip(want, got)):
            yield from differences(f"{path}[{n}]", *pair)
    elif path.endswith("created_at"):
        if datetime.fromisoformat(want) != datetime.fromisoformat(got):
            yield f"{path} is {got!r}; the package writes {want!r}"
    elif type(want) is not type(got) or want != got:
        yield f"{path} is {got!r}; the package writes {want!r}"


def hidden(path: str, value: Any) -> Iterator[str]:
    """Items that must not leave a server."""
    if isinstance(value, dict):
        if value.get("type") in HIDDEN and "thread_id" in value:
            yield f"{path} is hidden, and was sent"
        for key, entry in value.items():
            yield from hidden(f"{path}.{key}", entry)
    elif isinstance(value, list):
        for n, entry in enumerate(value):
            yield from hidden(f"{path}[{n}]", entry)


def check(record: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a record, each with its place in it."""
    for n, event in enumerate(record.get("events", [])):
        kind = event.get("type") if isinstance(event, dict) else None
        for problem in wrong(EVENT, event):
            yield f"event {n} ({kind}): {problem}"
    kind = (record.get("request") or {}).get("type")
    if record.get("upload"):
        # The package says nothing of the answer but whether it is a success.
        if not record.get("ours") and not 200 <= record["status"] < 300:
            yield f"the upload's status is {record['status']}: {record.get('body')}"
    elif record["status"] != 200:
        if not record.get("ours"):
            yield f"the status is {record['status']}: {record.get('body')}"
    elif kind in STREAMS:
        if "end" not in record:
            yield f"the answer is no stream: {record.get('body')}"
    elif kind in ANSWERS:
        for problem in wrong(ANSWERS[kind], record.get("body")):
            yield f"answer: {problem}"
    else:
        yield f"{kind!r} is no request of the package, and yet succeeded"


def main(path: str) -> int:
    checked, problems = 0, []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            checked += len(record.get("events", [])) or 1
            place = f"{record['target']} {record['scenario']} step {record['step']}"
            problems += [f"{place}: {problem}" for problem in check(record)]
    print(*problems, sep="\n", end="\n" if problems else "")
    print(f"{checked} events and answers checked, {len(problems)} problems")
    return 1 if problems or not checked else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
