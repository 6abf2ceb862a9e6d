// Where the component's published types and this server's speak of the same
// thing, one is given where the other is wanted. That this compiles is the test.
import type { Attachment, ChatKitEvents, ChatKitOptions, ModelOption, OpenAIChatKit, ToolChoice, UserMessageContent } from "@openai/chatkit";
import type { components } from "./generated/chatkit";

type Ours = components["schemas"];
type ClientTool = NonNullable<ChatKitOptions["onClientTool"]>;
type Sent = Parameters<OpenAIChatKit["sendUserMessage"]>[0];
type Action = Parameters<OpenAIChatKit["sendCustomAction"]>[0];
type Theirs<Kind extends UserMessageContent["type"]> = Extract<UserMessageContent, { type: Kind }>;

/** What is said of a message: its text, its tags, the tool and the model that were chosen. */
export const text = (theirs: Theirs<"input_text">): Ours["UserMessageTextContent"] => theirs;
export const textBack = (ours: Ours["UserMessageTextContent"]): UserMessageContent => ours;
// The component fills in a tag's data, which its own callers may leave out.
export const tag = (theirs: Theirs<"input_tag">): Ours["UserMessageTagContent"] => ({ ...theirs, data: theirs.data ?? {} });
// It never says null; this server takes it, as the Python package does, and does not send it.
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

/** A tool of the page: what is called, and what it gives. */
export const call = ({ name, arguments: params }: Ours["ClientToolCallItem"]): Parameters<ClientTool>[0] => ({ name, params });
export const output = (result: Awaited<ReturnType<ClientTool>>): Ours["ThreadAddClientToolOutputParams"]["result"] => result;
export const action = (theirs: Action): Ours["CustomAction"] => theirs;

/** Which thread is open. */
export const open = (element: OpenAIChatKit, { id }: Ours["Thread"]): Promise<void> => element.setThreadId(id);
export const opened = (threadId: string, { detail }: ChatKitEvents["chatkit.thread.load.end"]): Ours["ThreadGetByIdParams"] => ({
  thread_id: detail.threadId || threadId,
});
