// The page's part without the component, which comes from another host: what
// it is given works against this server as it stands.
import assert from "node:assert/strict";
import type { ChatKitOptions, CustomApiConfig, OpenAIChatKit } from "@openai/chatkit";
import { readEvents } from "../events";
import { embed } from "./embed";
import type { components } from "./generated/chatkit";

type Schemas = components["schemas"];

const { CHATKIT_URL: url = "", CHATKIT_TOKEN: token = "" } = process.env;

let given: ChatKitOptions | undefined;
const element: Pick<OpenAIChatKit, "setOptions"> = { setOptions: (options) => { given = options; } };
embed(element, { url, domainKey: "none", token: async () => token });
assert(given && "url" in given.api);
const api: CustomApiConfig = given.api;
assert(api.fetch);

// The component asks so. The server knows the tool from the page alone.
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
const options = { method: "POST", headers: { "chatkit-frame-instance-id": "1" }, body: JSON.stringify(request) };
const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
const refused = await fetch(api.url, { ...options, headers });
assert.equal(refused.status, 400);
assert.match(await refused.text(), /no tool \\"show_map\\"/);

const response = await api.fetch(api.url, options);
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
