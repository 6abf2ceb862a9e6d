import assert from "node:assert/strict";
import test from "node:test";
import { complaints } from "./complaints.mjs";

const good = {
  "a.ts": 'export interface ErrorDetail { code: ErrorCode; next?: string | null }\nexport type createRunResponse404 = { status: 404 };\nexport interface ThreadMetadata { [key: string]: unknown }\nexport const T = { ThreadItemDone: "thread.item.done", stream_options: "stream_options" } as const;\n',
  "thread.py": 'class Thread(BaseModel):\n    title: Optional[StrictStr] = None\n    metadata: Dict[str, Any] = None\n    INVALID_REQUEST = "INVALID_REQUEST"\n',
  "client_tool.py": "class ClientTool(BaseModel):\n    parameters: Optional[Dict[str, Any]] = None\n",
  "Thread.kt": 'data class Thread (\n    val metadata: kotlin.collections.Map<String, Any>\n    enum class Type(val value: kotlin.String) {\n        ThreadItemDone("thread.item.done");\n',
  "a.go": "type Thread struct {\n\tTitle *string `json:\"title\"`\n}\n\tvar x any\n",
};
const bad = {
  "a.ts": [
    "export interface InlineObject3 { id: string }",
    "export type ThreadItemOneOf = string;",
    "export interface ModelError { code: string }",
    "export interface Thread2 { id: string }",
    "export interface Session { title: any }",
    "export type Page = { data: Array<unknown> };",
    "export class RunsApi { createRun(body: any): Promise<void> {} }",
    "export const createRun = async (id: string): Promise<unknown> => null;",
    "export const T = { threaditemdone: 'thread.item.done' } as const;",
    "export const T = { Threaditemdone: 'thread.item.done' } as const;",
  ],
  "session.py": ["class ListSessions200ResponseInner(BaseModel):", "class Session(BaseModel):\n    title: Optional[Any] = None"],
  "Session.kt": [
    "data class Session (\n    val title: kotlin.Any? = null",
    'enum class Type(val value: kotlin.String) {\n    threadPeriodItemPeriodDone("thread.item.done");',
  ],
  "a.go": ["type ThreadItem_Union1 struct {", "type Session struct {\n\tTitle interface{} `json:\"title\"`"],
};

for (const [path, text] of Object.entries(good)) {
  test(`good names: ${path}`, () => assert.deepEqual(complaints(path, text), []));
}
for (const [path, texts] of Object.entries(bad)) {
  for (const text of texts) {
    test(`bad: ${text}`, () => assert.equal(complaints(path, text).length, 1));
  }
}
