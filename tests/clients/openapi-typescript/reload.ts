import type { Client } from "openapi-fetch";
import { readEvents } from "../events";
import type { components, paths } from "./generated/chatkit";

type Message = components["schemas"]["Message"];
type ThreadStreamEvent = components["schemas"]["ThreadStreamEvent"];

/** showSession shows a session and, while an answer is in progress, the events of its run. */
export async function showSession(
  client: Client<paths>,
  session_id: string,
  show: { message: (message: Message) => void; event: (event: ThreadStreamEvent) => void },
): Promise<void> {
  const session = await client.GET("/api/v1/chatkit/sessions/{session_id}", { params: { path: { session_id } } });
  session.data?.data.messages.forEach(show.message);
  const active = session.data?.data.active_run;
  if (active?.status !== "running") return;
  const run = await client.GET("/api/v1/chatkit/sessions/{session_id}/threads/{thread_id}/runs/{run_id}/events", {
    params: { path: { session_id, thread_id: session_id, run_id: active.id } },
    parseAs: "stream",
  });
  if (!run.response.ok || !run.response.body) return;
  for await (const event of readEvents<ThreadStreamEvent>(run.response.body)) show.event(event);
}
