import type { OpenAIChatKit } from "@openai/chatkit";
import type { components, paths } from "./generated/chatkit";

type Schemas = components["schemas"];

/** The tools of this page that the model may call. */
const tools: Schemas["ClientTool"][] = [
  {
    name: "show_map",
    description: "Shows a city on the map beside the chat.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
];

/** The server, the user's token and the page's key at OpenAI. */
export interface Backend {
  /** The URL of this server, such as https://chat.example.com. */
  url: string;
  /** From https://platform.openai.com/settings/organization/security/domain-allowlist */
  domainKey: string;
  /** Returns a valid JWT for the user. */
  token: () => Promise<string>;
}

/** Sets up the element <openai-chatkit> to talk to this server. */
export function embed(element: Pick<OpenAIChatKit, "setOptions">, { url, domainKey, token }: Backend): void {
  const path: keyof paths = "/api/v1/chatkit";
  element.setOptions({
    api: {
      url: url + path,
      domainKey,
      fetch: async (address, options) => {
        const headers = new Headers(options?.headers);
        headers.set("Authorization", `Bearer ${await token()}`);
        const body = options?.body;
        if (typeof body !== "string") return fetch(address, { ...options, headers });
        headers.set("Content-Type", "application/json");
        return fetch(address, { ...options, headers, body: withTools(body) });
      },
    },
    history: { enabled: true, showDelete: true, showRename: true },
    threadItemActions: { feedback: true, retry: true },
    onClientTool: ({ name, params }) => {
      if (name !== "show_map") return { error: `This page has no tool ${name}.` };
      document.dispatchEvent(new CustomEvent("show-map", { detail: params }));
      return { shown: true };
    },
  });
}

/** Adds the page's tools to a request. The protocol has no field for them except the metadata. */
function withTools(body: string): string {
  const request: Schemas["ChatKitRequest"] = JSON.parse(body);
  return JSON.stringify({ ...request, metadata: { ...request.metadata, client_tools: tools } });
}
