// Assigns values of the component's published types to this server's types and
// the reverse. The test is that this compiles.
import type { Attachment, ChatKitEvents, ChatKitOptions, ModelOption, OpenAIChatKit, ToolChoice, UserMessageContent } from "@openai/chatkit";
import type { components } from "./generated/chatkit";

type Ours = components["schemas"];
type ClientTool = NonNullable<ChatKitOptions["onClientTool"]>;
type Sent = Parameters<OpenAIChatKit["sendUserMessage"]>[0];
type Action = Parameters<OpenAIChatKit["sendCustomAction"]>[0];
type Theirs<Kind extends UserMessageContent["type"]> = Extract<UserMessageContent, { type: Kind }>;

/** The parts of a message: its text, its tags, and the chosen tool and model. */
export const text = (theirs: Theirs<"input_text">): Ours["UserMessageTextContent"] => theirs;
export const textBack = (ours: Ours["UserMessageTextContent"]): UserMessageContent => ours;
// Callers of the component may omit a tag's data; the component then sets it.
export const tag = (theirs: Theirs<"input_tag">): Ours["UserMessageTagContent"] => ({ ...theirs, data: theirs.data ?? {} });
// The component never sends null as the group. This server accepts null, as the Python package does, but does not send it.
export const tagBack = ({ group, ...ours }: Ours["UserMessageTagContent"]): UserMessageContent =>
  group == null ? ours : { ...ours, group };
export const content = (theirs: UserMessageContent): Ours["UserMessageContent"] =>
  theirs.type === "input_tag" ? tag(theirs) : theirs;
export const choice = (theirs: ToolChoice): Ours["ToolChoice"] => theirs;
export const choiceBack = (ours: Ours["ToolChoice"]): ToolChoice => ours;
export const options = ({ toolChoice, model }: Sent): Ours["InferenceOptionsInput"] => ({
  tool_choice: toolChoice ?? null,
  model: model ?? null,
});
export const model = ({ id }: ModelOption): NonNullable<Ours["InferenceOptionsInput"]["model"]> => id;
export const file = (ours: Ours["Attachment"] & { type: "file" }): Attachment => ours;

/** A call of a tool of the page, and its output. */
export const call = ({ name, arguments: params }: Ours["ClientToolCallItem"]): Parameters<ClientTool>[0] => ({ name, params });
export const output = (result: Awaited<ReturnType<ClientTool>>): Ours["ThreadAddClientToolOutputParams"]["result"] => result;
export const action = (theirs: Action): Ours["CustomAction"] => theirs;

/** The open thread. */
export const open = (element: OpenAIChatKit, { id }: Ours["Thread"]): Promise<void> => element.setThreadId(id);
export const opened = (threadId: string, { detail }: ChatKitEvents["chatkit.thread.load.end"]): Ours["ThreadGetByIdParams"] => ({
  thread_id: detail.threadId || threadId,
});
