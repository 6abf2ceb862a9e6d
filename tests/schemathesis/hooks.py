"""Rules of requests that a JSON schema cannot say.

Schemathesis expects a request that the schema allows to succeed. This hook
makes such a request keep the rules that the descriptions in openapi.yaml tell:
a message, a title and a file's name are not blank, the tools of a page have
different names, a chosen tool is one of them, and an upload has the size and the
type that were announced.
"""

import copy

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    if is_upload(case):
        size = announced.get(case.path_parameters.get("attachment_id"))
        if size is not None:
            case.body = "a" * size
        return
    if not isinstance(case.body, dict):
        return
    body = copy.deepcopy(case.body)
    fill_blank_message(body.get("message"))
    params = body.get("params")
    if isinstance(params, dict):
        fill_blank_message(params.get("input"))
        fill_blank_name(params)
        if str(params.get("mime_type")).startswith(("image/", "application/")):
            params["mime_type"] = "text/plain"  # an upload's content here is text
    name_tools_apart(tools_of(body))
    choose_offered_tool(body)
    case.body = body


# announced has the sizes of the files that may be uploaded, by id.
announced = {}


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code == 200 and isinstance(case.body, dict) and case.body.get("type") == "attachments.create":
        announced[response.json()["id"]] = case.body["params"]["size"]


def is_upload(case):
    return case.method.upper() == "PUT" and case.operation.path.endswith("/attachments/{attachment_id}/content")


def fill_blank_message(message):
    """Adds text to a well-formed message whose text is blank."""
    if not isinstance(message, dict) or not isinstance(message.get("content"), list):
        return
    texts = [part.get("text") for part in message["content"] if isinstance(part, dict)]
    if len(texts) == len(message["content"]) and all(isinstance(text, str) and not text.strip() for text in texts):
        message["content"].append({"type": "input_text", "text": "Hello"})


def fill_blank_name(params):
    """Adds text to a title or a file's name that would be empty once it is cleaned."""
    for field, room in (("title", 100), ("name", 255)):
        value = params.get(field)
        if isinstance(value, str) and 0 < len(value) <= room and not any(char.isalnum() for char in last_part(value)):
            params[field] = "a" if len(value) == 1 else value[:-1] + "a"


def last_part(path):
    """What follows the last separator of folders."""
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def tools_of(body):
    metadata = body.get("metadata")
    tools = metadata.get("client_tools") if isinstance(metadata, dict) else None
    return [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []


def name_tools_apart(tools):
    """Renames a tool that has the name of one before it."""
    seen = set()
    for number, tool in enumerate(tools):
        name = tool.get("name")
        if isinstance(name, str) and name in seen:
            tool["name"] = f"tool_{number}"
        if isinstance(name, str):
            seen.add(tool["name"])


def choose_offered_tool(body):
    """Lets tool_choice name a tool of the page, or leaves it out where the page has none."""
    params = body.get("params")
    message = params.get("input") if isinstance(params, dict) else None
    options = message.get("inference_options") if isinstance(message, dict) else None
    choice = options.get("tool_choice") if isinstance(options, dict) else None
    if not isinstance(choice, dict) or not isinstance(choice.get("id"), str):
        return
    names = [tool["name"] for tool in tools_of(body) if isinstance(tool.get("name"), str)]
    if names:
        choice["id"] = names[0]
    else:
        del options["tool_choice"]
