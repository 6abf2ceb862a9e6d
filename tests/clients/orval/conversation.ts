import assert from "node:assert/strict";
import { readEvents } from "../events";
import { chatkit } from "./fetch";
import {
  type CreateRunRequest,
  createSession,
  deleteSession,
  getCreateRunUrl,
  getSession,
  listSessions,
  type ThreadStreamEvent,
} from "./generated/chatkit";

// Create a session. This server allows one per user and refuses another with a typed 429.
const created = await createSession();
assert(created.status === 200);
const sessionId = created.data.data.id;
const refused = await createSession();
assert(refused.status === 429);
assert.equal(refused.data.error.code, "SESSION_LIMIT");

const list = await listSessions({ limit: 10 });
assert(list.status === 200);
assert.equal(list.data.data[0]?.id, sessionId);

// Send a message and read the answer as it arrives. The generated createRun waits
// for the whole body, so this calls fetch.
const message: CreateRunRequest["message"] = {
  role: "user",
  content: [{ type: "input_text", text: "What is 6 times 7?" }],
};
const run = await chatkit(getCreateRunUrl(sessionId, sessionId), {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ message } satisfies CreateRunRequest),
});
assert(run.ok && run.body);
let text = "";
let answer = "";
for await (const event of readEvents<ThreadStreamEvent>(run.body)) {
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

const history = await getSession(sessionId);
assert(history.status === 200);
assert.deepEqual(
  history.data.data.messages.map(({ role, content }) => [role, content[0]?.text]),
  [["user", "What is 6 times 7?"], ["assistant", answer]],
);

const deleted = await deleteSession(sessionId);
assert(deleted.status === 200 && deleted.data.data.deleted);

const gone = await getSession(sessionId);
assert(gone.status === 404);
assert.equal(gone.data.error.code, "SESSION_NOT_FOUND");

// This server allows eight requests a minute; this is the ninth.
await listSessions();
const limited = await listSessions();
assert(limited.status === 429);
assert.equal(limited.data.error.code, "RATE_LIMIT_EXCEEDED");
assert(Number(limited.headers.get("Retry-After")) > 0);
