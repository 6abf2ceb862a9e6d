import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import { readEvents } from "../events";
import type { components, paths } from "./generated/chatkit";

type ThreadStreamEvent = components["schemas"]["ThreadStreamEvent"];
type ChatKitStreamEvent = components["schemas"]["ChatKitStreamEvent"];

const { CHATKIT_URL: baseUrl = "", CHATKIT_TOKEN: token = "" } = process.env;
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });

// Create a session. This server allows one per user and refuses another with a typed 429.
const created = await client.POST("/api/v1/chatkit/sessions");
assert(created.data);
const session_id = created.data.data.id;
const refused = await client.POST("/api/v1/chatkit/sessions");
assert.equal(refused.response.status, 429);
assert.equal(refused.error?.error.code, "SESSION_LIMIT");

const list = await client.GET("/api/v1/chatkit/sessions", { params: { query: { limit: 10 } } });
assert.equal(list.data?.data[0]?.id, session_id);

// Send a message and read the answer as it arrives: with parseAs the body is a stream.
const path = "/api/v1/chatkit/sessions/{session_id}/threads/{thread_id}/runs";
const run = await client.POST(path, {
  params: { path: { session_id, thread_id: session_id } },
  body: { message: { role: "user", content: [{ type: "input_text", text: "What is 6 times 7?" }] } },
  parseAs: "stream",
});
assert(run.response.ok && run.response.body);
let text = "";
let answer = "";
for await (const event of readEvents<ThreadStreamEvent>(run.response.body)) {
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

const history = await client.GET("/api/v1/chatkit/sessions/{session_id}", { params: { path: { session_id } } });
assert.deepEqual(
  history.data?.data.messages.map((message) => [message.role, message.content[0]?.text]),
  [["user", "What is 6 times 7?"], ["assistant", answer]],
);

const deleted = await client.DELETE("/api/v1/chatkit/sessions/{session_id}", { params: { path: { session_id } } });
assert(deleted.data?.data.deleted);

// Errors have the types of the operation's error responses.
const gone = await client.GET("/api/v1/chatkit/sessions/{session_id}", { params: { path: { session_id } } });
assert.equal(gone.response.status, 404);
assert.equal(gone.error?.error.code, "SESSION_NOT_FOUND");

// The ChatKit protocol has one operation; the type in its body selects the command. A thread is a session.
const threadCreation = await client.POST("/api/v1/chatkit", {
  body: {
    type: "threads.create",
    params: {
      input: { content: [{ type: "input_text", text: "What is 6 times 7?" }], attachments: [], inference_options: {} },
    },
  },
  parseAs: "stream",
});
assert(threadCreation.response.ok && threadCreation.response.body);
let thread_id = "";
for await (const event of readEvents<ChatKitStreamEvent>(threadCreation.response.body, { endsWithDone: false })) {
  if (event.type === "thread.created") thread_id = event.thread.id;
  if (event.type === "error") throw new Error(event.message);
}
const items = await client.POST("/api/v1/chatkit", {
  body: { type: "items.list", params: { thread_id, order: "asc" } },
});
assert(items.data && "data" in items.data);
const messages = items.data.data.map((item) => {
  assert("type" in item && (item.type === "user_message" || item.type === "assistant_message"));
  return [item.type, item.content[0]?.text];
});
assert.deepEqual(messages, [["user_message", "What is 6 times 7?"], ["assistant_message", answer]]);

// This server allows ten requests a minute; this is the eleventh.
await client.GET("/api/v1/chatkit/sessions");
const limited = await client.GET("/api/v1/chatkit/sessions");
assert.equal(limited.response.status, 429);
assert.equal(limited.error?.error.code, "RATE_LIMIT_EXCEEDED");
assert(Number(limited.response.headers.get("Retry-After")) > 0);
