import os
from collections.abc import Iterator

from urllib3 import BaseHTTPResponse

from chatkit_client import (
    ApiClient,
    ApiException,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    Configuration,
    CreateRunContent,
    CreateRunMessage,
    CreateRunRequest,
    ErrorCode,
    ErrorEvent,
    ErrorResponse,
    RunsApi,
    SessionsApi,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
)

QUESTION = "What is 6 times 7?"


def read_events(response: BaseHTTPResponse) -> Iterator[ThreadStreamEvent]:
    """Yields the events of a run's stream as they arrive."""
    rest = b""
    try:
        while chunk := response.read1():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line == b"data: [DONE]":
                    return
                if line.startswith(b"data: "):
                    yield ThreadStreamEvent.from_json(line[len(b"data: ") :].decode())
    finally:
        response.close()
    raise EOFError("The stream ended before [DONE].")


def code(refusal: ApiException) -> ErrorCode:
    """Returns the code in the typed body of a refused request."""
    body = ErrorResponse.from_json(str(refusal.body))
    assert body
    return body.error.code


api = ApiClient(
    # By default urllib3 waits for Retry-After and sends the request again.
    Configuration(host=os.environ["CHATKIT_URL"], access_token=os.environ["CHATKIT_TOKEN"], retries=0)
)
sessions, runs = SessionsApi(api), RunsApi(api)

# Create a session. This server allows one per user and refuses another with a typed 429.
session = sessions.create_session().data
try:
    sessions.create_session()
    raise AssertionError("a second session was created")
except ApiException as refusal:
    assert refusal.status == 429
    assert code(refusal) is ErrorCode.SESSION_LIMIT

assert sessions.list_sessions(limit=10).data[0].id == session.id

# Send a message and read the answer as it arrives: this call does not read the body.
part = CreateRunContent(type="input_text", text=QUESTION)
request = CreateRunRequest(message=CreateRunMessage(role="user", content=[part]))
run = runs.create_run_without_preload_content(session.id, session.id, request)
assert run.status == 200
text = answer = ""
for event in read_events(run):
    match event.actual_instance:
        case ThreadItemUpdatedEvent(update=update):
            if isinstance(update.actual_instance, AssistantMessageContentPartTextDelta):
                text += update.actual_instance.delta
        case ThreadItemDoneEvent(item=item):
            if isinstance(item.actual_instance, AssistantMessageItem):
                answer = "".join(part.text for part in item.actual_instance.content)
        case ErrorEvent() as failed:
            raise RuntimeError(failed.message)
assert answer and text == answer
print(answer)

history = []
for message in sessions.get_session(session.id).data.messages:
    content = message.content[0].actual_instance
    assert content
    history.append((message.role.value, content.text))
assert history == [("user", QUESTION), ("assistant", answer)]

assert sessions.delete_session(session.id).data.deleted

try:
    sessions.get_session(session.id)
    raise AssertionError("a deleted session was found")
except ApiException as refusal:
    assert refusal.status == 404
    assert code(refusal) is ErrorCode.SESSION_NOT_FOUND

# This server allows eight requests a minute; this is the ninth.
sessions.list_sessions()
try:
    sessions.list_sessions()
    raise AssertionError("a ninth request was answered")
except ApiException as refusal:
    assert refusal.status == 429
    assert code(refusal) is ErrorCode.RATE_LIMIT_EXCEEDED
    assert refusal.headers and int(refusal.headers["Retry-After"]) > 0
