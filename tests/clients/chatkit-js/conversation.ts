// Tests the options that embed.ts sets, against a running server and without the
// component, which only OpenAI's host has.
import assert from "node:assert/strict";
import type { ChatKitOptions, CustomApiConfig, OpenAIChatKit } from "@openai/chatkit";
import { readEvents } from "../events";
import { embed } from "./embed";
import type { components } from "./generated/chatkit";

type Schemas = components["schemas"];

const { CHATKIT_URL: url = "", CHATKIT_TOKEN: token = "" } = process.env;

let options: ChatKitOptions | undefined;
const element: Pick<OpenAIChatKit, "setOptions"> = { setOptions: (value) => { options = value; } };
embed(element, { url, domainKey: "none", token: async () => token });
assert(options && "url" in options.api);
const api: CustomApiConfig = options.api;
assert(api.fetch);

// A request of the component. The server gets the definition of the tool only from the page.
const request: Schemas["ThreadsCreateReq"] = {
  type: "threads.create",
  params: {
    input: {
      content: [{ type: "input_text", text: "What is 6 times 7?" }],
      attachments: [],
      inference_options: { tool_choice: { id: "show_map" } },
    },
  },
};
const init = { method: "POST", headers: { "chatkit-frame-instance-id": "1" }, body: JSON.stringify(request) };
const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
const refused = await fetch(api.url, { ...init, headers });
assert.equal(refused.status, 400);
assert.match(await refused.text(), /no tool \\"show_map\\"/);

const response = await api.fetch(api.url, init);
assert(response.ok && response.body, `${response.status}`);
const events: string[] = [];
let called = "";
for await (const event of readEvents<Schemas["ChatKitStreamEvent"]>(response.body, { endsWithDone: false })) {
  events.push(event.type);
  if (event.type === "thread.item.done" && event.item.type === "client_tool_call") called = event.item.name;
}
assert.equal(events[0], "thread.created");
assert(called === "show_map" && !events.includes("error"), `${called}: ${events.join(" ")}`);
console.log(events.join(" "));
