"""The package's ChatKitServer with what it leaves to its user: an agent."""

import json
import os
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

from agents import (
    Agent,
    AsyncOpenAI,
    FunctionTool,
    ModelSettings,
    RunConfig,
    Runner,
    StopAtTools,
    TResponseInputItem,
    set_tracing_disabled,
)
from agents.tool_context import ToolContext
from chatkit.agents import (
    AgentContext,
    ClientToolCall,
    ThreadItemConverter,
    stream_agent_response,
)
from chatkit.server import ChatKitServer, NonStreamingResult, StreamingResult
from chatkit.types import (
    AssistantMessageItem,
    Attachment,
    ChatKitReq,
    FeedbackKind,
    ThreadItem,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
    UserMessageTagContent,
    is_streaming_req,
)
from httpx2 import Limits
from openai import DefaultAsyncHttpxClient
from openai.types.responses import (
    EasyInputMessageParam,
    ResponseInputContentParam,
    ResponseInputImageParam,
    ResponseInputTextParam,
)
from pydantic import TypeAdapter

from .model import CompletedModel, OwnIdsModel
from .store import Context, MemoryStore
from .title import title_from
from .tools import TOOLS
from .uploads import Uploads

HISTORY = 100
REQUESTS: TypeAdapter[ChatKitReq] = TypeAdapter(ChatKitReq)
INSTRUCTIONS = "You are a helpful assistant."

set_tracing_disabled(True)  # It would be sent to a server far away.


def server_tool(name: str, description: str, parameters: dict, function: Any) -> FunctionTool:
    async def invoke(_: ToolContext, arguments: str) -> str:
        try:
            return function(**json.loads(arguments or "{}"))
        except Exception as problem:
            return f"The tool failed: {problem}"

    return FunctionTool(name, description, parameters, invoke, strict_json_schema=False)


def client_tool(offer: dict[str, Any]) -> FunctionTool:
    async def invoke(call: ToolContext[AgentContext], arguments: str) -> str:
        call.context.client_tool_call = ClientToolCall(
            name=offer["name"], arguments=json.loads(arguments or "{}")
        )
        return ""

    parameters = offer.get("parameters") or {"type": "object", "properties": {}}
    description = offer.get("description", "")
    return FunctionTool(offer["name"], description, parameters, invoke, strict_json_schema=False)


class Converter(ThreadItemConverter):
    """The package's, with the two methods that it leaves open, and the
    assistant's messages as Chat Completions takes them: the SDK refuses the
    package's form, which is the Responses API's."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads

    async def assistant_message_to_input(self, item: AssistantMessageItem) -> TResponseInputItem:
        text = "".join(part.text for part in item.content)
        return EasyInputMessageParam(type="message", role="assistant", content=text)

    async def tag_to_message_content(self, tag: UserMessageTagContent) -> ResponseInputContentParam:
        return ResponseInputTextParam(type="input_text", text=f"{tag.text}: {json.dumps(tag.data)}")

    async def attachment_to_message_content(self, file: Attachment) -> ResponseInputContentParam:
        content = self._uploads.content(file.id)
        if content is None:
            text = f"[{file.name}, {file.mime_type}]"
            return ResponseInputTextParam(type="input_text", text=text)
        if file.type == "image":
            url = f"data:{file.mime_type};base64,{b64encode(content).decode()}"
            return ResponseInputImageParam(type="input_image", detail="auto", image_url=url)
        text = f"{file.name}:\n{content.decode(errors='replace')}"
        return ResponseInputTextParam(type="input_text", text=text)


def written(message: UserMessageItem) -> str:
    """A message's text, its tags as the user sees them."""
    return "".join(
        f"@{part.text}" if isinstance(part, UserMessageTagContent) else part.text
        for part in message.content
    )


def title_of(message: UserMessageItem) -> str:
    """Of the text, or of the first file's name where there is none."""
    title = title_from(written(message))
    if not title and message.attachments:
        title = title_from(message.attachments[0].name)
    return title


class ReferenceServer(ChatKitServer[Context]):
    """Answers with the model behind the base URL. `plain` leaves the SDK's
    stream as it is but for the items' ids; without `tools` the model has none
    but the page's; `as_it_comes` leaves the package its own way to parse."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        plain: bool = False,
        tools: bool = True,
        as_it_comes: bool = False,
    ) -> None:
        store = MemoryStore()
        uploads = Uploads(store)
        super().__init__(store, uploads)
        self._client = AsyncOpenAI(
            base_url=base_url,
            api_key=api_key,
            max_retries=0,
            # The SDK's own limit would make the thousandth stream wait.
            http_client=DefaultAsyncHttpxClient(
                limits=Limits(max_connections=None, max_keepalive_connections=None)
            ),
        )
        self._as_it_comes = as_it_comes
        self._model_class = OwnIdsModel if plain else CompletedModel
        self._default_model = os.environ.get("MODEL", "test/model")
        self._converter = Converter(uploads)
        self._tools = [server_tool(*tool) for tool in TOOLS] if tools else []
        self._run_config = RunConfig(
            tracing_disabled=True, tool_not_found_behavior="return_error_to_model"
        )

    def _agent(self, message: UserMessageItem | None, offers: list[dict]) -> Agent[AgentContext]:
        options = message.inference_options if message else None
        model = (options and options.model) or self._default_model
        choice = options.tool_choice.id if options and options.tool_choice else None
        return Agent(
            name="assistant",
            instructions=INSTRUCTIONS,
            model=self._model_class(model, self._client),
            model_settings=ModelSettings(tool_choice=choice),
            tools=self._tools + [client_tool(offer) for offer in offers],
            tool_use_behavior=StopAtTools(stop_at_tool_names=[offer["name"] for offer in offers])
            if offers
            else "run_llm_again",
        )

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: Context
    ) -> AsyncIterator[ThreadStreamEvent]:
        history = await self.store.load_thread_items(thread.id, None, HISTORY, "desc", context)
        agent_context = AgentContext(thread=thread, store=self.store, request_context=context)
        try:
            result = Runner.run_streamed(
                self._agent(input_user_message, context.client_tools),
                await self._converter.to_agent_input(history.data[::-1]),
                context=agent_context,
                run_config=self._run_config,
                # A refusal is an answer. The SDK's own way is an exception, which
                # overtakes the events of the refusal or does not.
                error_handlers={"model_refusal": lambda _: ""},
            )
            try:
                async for event in stream_agent_response(agent_context, result):
                    yield event
            except BaseException:
                result.cancel()
                raise
        finally:
            if thread.title is None and input_user_message:
                thread.title = title_of(input_user_message)

    async def process(
        self, request: str | bytes | bytearray, context: Context
    ) -> StreamingResult | NonStreamingResult:
        if self._as_it_comes:
            return await super().process(request, context)
        # As the package does, which however makes its adapter anew for each
        # request: most of what a short request costs.
        parsed = REQUESTS.validate_json(request)
        if is_streaming_req(parsed):
            return StreamingResult(self._process_streaming(parsed, context))
        return NonStreamingResult(await self._process_non_streaming(parsed, context))

    async def handle_stream_cancelled(
        self, thread: ThreadMetadata, pending_items: list[ThreadItem], context: Context
    ) -> None:
        await self.store.save_thread(thread, context)  # It may have its title now.
        await super().handle_stream_cancelled(thread, pending_items, context)

    async def add_feedback(
        self, thread_id: str, item_ids: list[str], feedback: FeedbackKind, context: Context
    ) -> None:
        await self.store.load_thread(thread_id, context)
        for item_id in item_ids:
            await self.store.load_item(thread_id, item_id, context)
        self.store.feedback.append((thread_id, item_ids, feedback))
