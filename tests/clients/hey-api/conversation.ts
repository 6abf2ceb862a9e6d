import assert from "node:assert/strict";
import { createRun, createSession, deleteSession, getSession, listSessions } from "./generated";
import { client } from "./generated/client.gen";

const { CHATKIT_URL: baseUrl = "", CHATKIT_TOKEN: token = "" } = process.env;
client.setConfig({ baseUrl, auth: token });

// Create a session. This server allows one per user and refuses another with a typed 429.
const created = await createSession();
assert(created.data);
const session_id = created.data.data.id;
const refused = await createSession();
assert.equal(refused.response?.status, 429);
assert.equal(refused.error?.error.code, "SESSION_LIMIT");

const list = await listSessions({ query: { limit: 10 } });
assert.equal(list.data?.data[0]?.id, session_id);

// Send a message and read the answer as it arrives. Without sseMaxRetryAttempts
// the generated reader sends the message again when the stream fails.
const { stream } = await createRun({
  path: { session_id, thread_id: session_id },
  body: { message: { role: "user", content: [{ type: "input_text", text: "What is 6 times 7?" }] } },
  sseMaxRetryAttempts: 1,
  onSseError: (failure) => {
    throw failure;
  },
});
let text = "";
let answer = "";
// The last value that it yields is the string "[DONE]", which has no type.
for await (const event of stream) {
  switch (event.type) {
    case "thread.item.updated":
      if (event.update.type === "assistant_message.content_part.text_delta") text += event.update.delta;
      break;
    case "thread.item.done":
      if (event.item.type === "assistant_message") answer = event.item.content.map((part) => part.text).join("");
      break;
    case "error":
      throw new Error(event.message);
  }
}
assert.equal(text, answer);
console.log(answer);

const history = await getSession({ path: { session_id } });
assert.deepEqual(
  history.data?.data.messages.map((message) => [message.role, message.content[0]?.text]),
  [["user", "What is 6 times 7?"], ["assistant", answer]],
);

const deleted = await deleteSession({ path: { session_id } });
assert(deleted.data?.data.deleted);

const gone = await getSession({ path: { session_id } });
assert.equal(gone.response?.status, 404);
assert.equal(gone.error?.error.code, "SESSION_NOT_FOUND");

// This server allows eight requests a minute; this is the ninth.
await listSessions();
const limited = await listSessions();
assert.equal(limited.response?.status, 429);
assert.equal(limited.error?.error.code, "RATE_LIMIT_EXCEEDED");
assert(Number(limited.response?.headers.get("Retry-After")) > 0);
