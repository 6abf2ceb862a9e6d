import assert from "node:assert/strict";
import { readEvents } from "../events";
import {
  Configuration,
  ErrorCode,
  type ErrorResponse,
  ErrorResponseFromJSON,
  ResponseError,
  RunsApi,
  SessionsApi,
  ThreadStreamEventFromJSON,
} from "./generated";

const { CHATKIT_URL: basePath = "", CHATKIT_TOKEN: accessToken = "" } = process.env;
const configuration = new Configuration({ basePath, accessToken });
const sessions = new SessionsApi(configuration);
const runs = new RunsApi(configuration);

/** failure returns the response and the typed body of a refused request. */
async function failure(call: Promise<unknown>): Promise<{ response: Response; body: ErrorResponse }> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error;
    return { response: error.response, body: ErrorResponseFromJSON(await error.response.json()) };
  }
  throw new Error("The request was not refused.");
}

// Create a session. This server allows one per user and refuses another with a typed 429.
const { data: session } = await sessions.createSession();
const sessionId = session.id;
const refused = await failure(sessions.createSession());
assert.equal(refused.response.status, 429);
assert.equal(refused.body.error.code, ErrorCode.SessionLimit);

const list = await sessions.listSessions({ limit: 10 });
assert.equal(list.data[0]?.id, sessionId);

// Send a message and read the answer as it arrives: the Raw call does not read the body.
const run = await runs.createRunRaw({
  sessionId,
  threadId: sessionId,
  createRunRequest: { message: { role: "user", content: [{ type: "input_text", text: "What is 6 times 7?" }] } },
});
assert(run.raw.body);
let text = "";
let answer = "";
for await (const json of readEvents<unknown>(run.raw.body)) {
  const event = ThreadStreamEventFromJSON(json);
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

const history = await sessions.getSession({ sessionId });
assert.deepEqual(
  history.data.messages.map(({ role, content }) => [role, content[0]?.text]),
  [["user", "What is 6 times 7?"], ["assistant", answer]],
);

const deleted = await sessions.deleteSession({ sessionId });
assert(deleted.data.deleted);

const gone = await failure(sessions.getSession({ sessionId }));
assert.equal(gone.response.status, 404);
assert.equal(gone.body.error.code, ErrorCode.SessionNotFound);

// This server allows eight requests a minute; this is the ninth.
await sessions.listSessions();
const limited = await failure(sessions.listSessions());
assert.equal(limited.response.status, 429);
assert.equal(limited.body.error.code, ErrorCode.RateLimitExceeded);
assert(Number(limited.response.headers.get("Retry-After")) > 0);
