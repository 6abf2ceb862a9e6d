"""The Agents SDK's model for Chat Completions, completed.

ChatKit's `stream_agent_response` was written for the Responses API. What the
SDK makes of a Chat Completions stream lacks things that API has; without them
a thread's messages would all have one id ("__fake_id__"), a part would never
be done, and OpenRouter's `reasoning` would be an empty workflow.
"""

from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from agents import OpenAIChatCompletionsModel
from agents.models.fake_id import FAKE_RESPONSES_ID
from chatkit.store import default_generate_id
from openai.types.responses import (
    ResponseReasoningSummaryTextDeltaEvent,
    ResponseReasoningSummaryTextDoneEvent,
    ResponseTextDoneEvent,
)

KINDS = {"message": "message", "function_call": "tool_call", "reasoning": "workflow"}


class OwnIdsModel(OpenAIChatCompletionsModel):
    """Gives each item of an answer an id of its own: nothing works without."""

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        ids: dict[int, str] = {}  # by the item's place in the answer

        def own(item: Any, index: int) -> None:
            if item.id == FAKE_RESPONSES_ID:
                item.id = ids.setdefault(index, default_generate_id(KINDS[item.type]))

        async for event in super().stream_response(*args, **kwargs):
            if event.type == "response.completed":
                for index, item in enumerate(event.response.output):
                    own(item, index)
            elif hasattr(event, "item"):
                own(event.item, event.output_index)
            elif hasattr(event, "item_id"):
                event.item_id = ids[event.output_index]
            yield event


class CompletedModel(OwnIdsModel):
    """Also says what the Responses API says and the SDK does not."""

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        thought: dict[str, Any] | None = None
        texts: defaultdict[tuple[str, int], str] = defaultdict(str)
        async for event in super().stream_response(*args, **kwargs):
            match event.type:
                case "response.reasoning_text.delta" | "response.reasoning_summary_text.delta":
                    if thought is None:
                        thought = {"item_id": event.item_id, "text": ""}
                    thought["text"] += event.delta
                    yield ResponseReasoningSummaryTextDeltaEvent(
                        type="response.reasoning_summary_text.delta",
                        item_id=event.item_id,
                        output_index=event.output_index,
                        summary_index=0,
                        delta=event.delta,
                        sequence_number=event.sequence_number,
                    )
                    continue
                case "response.reasoning_text.done":
                    continue
                case "response.output_text.delta":
                    texts[event.item_id, event.content_index] += event.delta
            if thought and event.type in (
                "response.reasoning_summary_part.done",
                "response.output_item.added",
                "response.output_item.done",
            ):
                yield ResponseReasoningSummaryTextDoneEvent(
                    type="response.reasoning_summary_text.done",
                    item_id=thought["item_id"],
                    output_index=0,
                    summary_index=0,
                    text=thought["text"],
                    sequence_number=event.sequence_number,
                )
                thought = None
            if event.type == "response.content_part.done" and event.part.type == "output_text":
                yield ResponseTextDoneEvent(
                    type="response.output_text.done",
                    item_id=event.item_id,
                    output_index=event.output_index,
                    content_index=event.content_index,
                    text=texts[event.item_id, event.content_index],
                    logprobs=[],
                    sequence_number=event.sequence_number,
                )
            yield event
