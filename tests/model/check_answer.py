"""Checks what chatkit-rest sent, for run.sh.

Usage: check_answer.py field NAME < answer.json
           prints a field of the answer's data
       check_answer.py stream FILE WORD
           the run's stream is whole and its answer has WORD; prints the answer
       check_answer.py history FILE TEXT...
           the session's messages are these texts: user, assistant, user, …

Exits 1 with a line on what is wrong.
"""

import json
import sys
from pathlib import Path


class Wrong(Exception):
    """What was sent is not what the contract says."""


def data_of(answer):
    body = json.loads(answer)
    if body.get("success") is not True:
        raise Wrong(f"the answer says it failed: {body.get('error')}")
    return body["data"]


def text_of(item):
    return "".join(part["text"] for part in item["content"])


def events_of(stream):
    """The events of a run's stream, which must end with [DONE]."""
    data = [
        line.removeprefix("data: ")
        for line in stream.split("\n")
        if line.startswith("data: ")
    ]
    if not data or data[-1] != "[DONE]":
        raise Wrong("the stream does not end with 'data: [DONE]'")
    if not stream.endswith("data: [DONE]\n\n"):
        raise Wrong("something follows 'data: [DONE]', or its blank line is missing")
    return [json.loads(event) for event in data[:-1]]


def answer_in(stream, word):
    """The answer that a run's stream ends with."""
    events = events_of(stream)
    failures = [event for event in events if event["type"] == "error"]
    if failures:
        raise Wrong(f"the stream has an error event: {failures[0]}")

    done = [event["item"] for event in events if event["type"] == "thread.item.done"]
    kinds = [item["type"] for item in done]
    if kinds != ["user_message", "assistant_message"]:
        raise Wrong(
            "the thread.item.done events should be the user's message and the "
            f"answer, but are: {kinds}"
        )
    answer = text_of(done[1])
    if not answer.strip():
        raise Wrong("the assistant's thread.item.done has no text")

    updates = [
        event["update"] for event in events if event["type"] == "thread.item.updated"
    ]
    streamed = "".join(
        update["delta"]
        for update in updates
        if update["type"] == "assistant_message.content_part.text_delta"
    )
    if streamed != answer:
        raise Wrong(f"the pieces make {streamed!r}, the finished answer is {answer!r}")
    if word not in answer:
        raise Wrong(f"the answer should have the word {word!r}, but is: {answer!r}")
    return answer


def check_history(session, texts):
    got = [(message["role"], text_of(message)) for message in session["messages"]]
    want = [
        ("assistant" if index % 2 else "user", text) for index, text in enumerate(texts)
    ]
    if got != want:
        raise Wrong(f"the session's messages should be {want}, but are {got}")


def main(command, *arguments):
    if command == "field":
        print(data_of(sys.stdin.read())[arguments[0]])
    elif command == "stream":
        path, word = arguments
        sys.stdout.write(answer_in(Path(path).read_text(encoding="utf-8"), word))
    elif command == "history":
        path, *texts = arguments
        check_history(data_of(Path(path).read_text(encoding="utf-8")), texts)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except Wrong as wrong:
        sys.exit(f"check failed: {wrong}")
