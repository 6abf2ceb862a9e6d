// A server of tools (MCP over stdin and stdout) with one tool. Where a tool
// is offered, chatkit-rest answers a call of an unknown one, and shows and
// stores it as any other.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);

/** The setting that gives the server this tool. */
export async function toolsEnv(t) {
  const folder = await mkdtemp(join(tmpdir(), 'chatkit-tools-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'servers.json');
  await writeFile(path, JSON.stringify({ mcpServers: { lab: { command: process.execPath, args: [self] } } }));
  return { MCP_SERVERS: path };
}

const results = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'lab', version: '1' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools: [{ name: 'nothing', description: 'Does nothing.', inputSchema: { type: 'object' } }] }),
  'tools/call': () => ({ content: [{ type: 'text', text: 'Nothing was done.' }] }),
};

if (process.argv[1] === self) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, method, params } = JSON.parse(line);
    if (id === undefined) continue; // a notification
    const answer = results[method] ? { result: results[method](params) } : { error: { code: -32601, message: 'no such method' } };
    process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...answer })}\n`);
  }
}
