"""The reference over HTTP: one path and the uploads', no framework between
uvicorn and it.

    uvicorn --app-dir tests/chatkit reference.app:app --loop uvloop --http httptools

with OPENAI_BASE_URL and OPENAI_API_KEY. REFERENCE_PLAIN=1 leaves out what
model.py adds, REFERENCE_TOOLS=0 the tools, and REFERENCE_AS_IT_COMES=1 what
makes requests faster to parse than the package does.
"""

import json
import os

from chatkit.server import StreamingResult
from chatkit.store import NotFoundError
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from .server import ReferenceServer
from .store import Context
from .uploads import PLACE

server = ReferenceServer(
    os.environ["OPENAI_BASE_URL"],
    os.environ["OPENAI_API_KEY"],
    plain=os.environ.get("REFERENCE_PLAIN") == "1",
    tools=os.environ.get("REFERENCE_TOOLS") != "0",
    as_it_comes=os.environ.get("REFERENCE_AS_IT_COMES") == "1",
)


async def answer(request: Request) -> Response:
    body = await request.body()
    # Whoever has a token is whom it names: the reference checks nothing.
    context = Context(request.headers.get("authorization", ""))
    if b'"client_tools"' in body:
        context.client_tools = json.loads(body).get("metadata", {}).get("client_tools", [])
    if b'"attachments.create"' in body:
        context.origin = str(request.base_url).rstrip("/")
    try:
        result = await server.process(body, context)
    except ValidationError as problem:
        return Response(problem.json(), 422, media_type="application/json")
    except NotFoundError:
        return Response(b'{"detail":"not found"}', 404, media_type="application/json")
    except NotImplementedError as problem:
        return Response(json.dumps({"detail": str(problem)}), 501, media_type="application/json")
    if isinstance(result, StreamingResult):
        return StreamingResponse(result, media_type="text/event-stream")
    return Response(result.json, media_type="application/json")


async def upload(request: Request, attachment_id: str) -> Response:
    try:
        server.attachment_store.take(attachment_id, await request.body())
    except NotFoundError:
        return Response(b'{"detail":"not found"}', 404, media_type="application/json")
    return Response(status_code=204)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        raise RuntimeError("only HTTP is served here")  # uvicorn then serves without a lifespan
    if scope["path"] == "/readyz":
        await Response(b"ok")(scope, receive, send)
        return
    request = Request(scope, receive)
    if scope["path"].startswith(PLACE):
        response = await upload(request, scope["path"].removeprefix(PLACE))
    else:
        response = await answer(request)
    await response(scope, receive, send)
