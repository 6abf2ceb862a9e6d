// A scripted upstream: an OpenAI-compatible server with the answers of a test.
import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * Answers each request with the next of the scripts, and all further ones with
 * the last. A script is a number, the status of a refusal, or a list of: text;
 * 'hold', which waits for release(); { think }, a piece of a thought;
 * { call, args }, a tool call; { finish }, the reason why the answer ends.
 */
export async function startUpstream(t, ...scripts) {
  const asked = [];
  let release;
  const released = new Promise((resolve) => { release = resolve; });
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const bytes of request.setEncoding('utf8')) body += bytes;
    const script = scripts[Math.min(asked.length, scripts.length - 1)];
    asked.push(JSON.parse(body));
    const closed = once(response, 'close');
    if (typeof script === 'number') {
      response.writeHead(script, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ error: { code: script, message: 'scripted' } }));
      return;
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const event = (delta, reason = null) => response.write(`data: ${JSON.stringify({
      id: 'gen-1', object: 'chat.completion.chunk', created: 1, model: 'scripted',
      choices: [{ index: 0, delta, finish_reason: reason }],
    })}\n\n`);
    let calls = 0;
    let finish = 'stop';
    for (const piece of script) {
      if (piece === 'hold') await Promise.race([released, closed]);
      else if (piece.think) event({ role: 'assistant', content: null, reasoning: piece.think });
      else if (piece.finish) finish = piece.finish;
      else if (piece.call) event({ role: 'assistant', content: null, tool_calls: [callOf(piece, calls++)] });
      else event({ role: 'assistant', content: piece });
      if (response.destroyed) return;
    }
    event({}, calls > 0 ? 'tool_calls' : finish);
    response.end('data: [DONE]\n\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { release(); server.closeAllConnections(); server.close(); });
  return {
    env: { OPENROUTER_BASE_URL: `http://127.0.0.1:${server.address().port}/v1`, OPENROUTER_API_KEY: 'scripted' },
    release,
    runs: () => asked.length,
    /** The body of the last request. */
    asked: () => asked.at(-1),
  };
}

const callOf = ({ call, args }, index) => ({
  index, id: `call_${index + 1}`, type: 'function', function: { name: call, arguments: args },
});
