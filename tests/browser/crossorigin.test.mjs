// Pages of another origin, in a real browser: what the ChatKit component sends
// passes the preflight, any other header does not.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { startBrowser } from './lab/browser.mjs';
import { startServer, tokenFor } from './lab/server.mjs';
import { startUpstream } from './lab/upstream.mjs';

/** Serves an empty page at an origin of its own. */
async function startPage(t) {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end('<!doctype html><title>Another origin</title>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.closeAllConnections(); server.close(); });
  return `http://127.0.0.1:${server.address().port}`;
}

/** Sends a ChatKit request from the page and returns the answer, or the browser's refusal. */
const send = (page, url, headers, credentials = 'omit') => page.evaluate(async ([url, headers, credentials]) => {
  try {
    const response = await fetch(`${url}/api/v1/chatkit`, {
      method: 'POST', headers, credentials, body: JSON.stringify({ type: 'threads.list', params: {} }),
    });
    return { status: response.status, requestID: response.headers.get('X-Request-Id'), body: await response.json() };
  } catch (error) {
    return { refused: String(error) };
  }
}, [url, headers, credentials]);

const componentHeaders = {
  'chatkit-device-id': 'a1f8', 'chatkit-frame-instance-id': 'b2e7', 'openai-sentinel-token': '{"p":"x"}',
  'Accept-Language': 'de-AT,de;q=0.9,en;q=0.8', Accept: 'text/event-stream',
};
const traceHeaders = {
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'vendor=1', baggage: 'tenant=a',
};

test('a page of an allowed origin may send the headers of the ChatKit component and of tracing', async (t) => {
  const origin = await startPage(t);
  const server = await startServer(t, { env: { CORS_ORIGINS: origin } });
  const context = await startBrowser(t);
  const page = await context.newPage();
  await page.goto(origin);
  const base = { Authorization: `Bearer ${await tokenFor('ada')}`, 'Content-Type': 'application/json' };

  for (const headers of [componentHeaders, traceHeaders, { ...componentHeaders, ...traceHeaders }]) {
    const answer = await send(page, server.url, { ...base, ...headers });
    assert.equal(answer.status, 200, JSON.stringify(answer));
    assert.deepEqual(answer.body.data, []);
    assert.match(answer.requestID, /^[0-9a-f-]{36}$/, 'the page cannot read X-Request-Id');
  }
  const withCookies = await send(page, server.url, { ...base, ...componentHeaders }, 'include');
  assert.equal(withCookies.status, 200, JSON.stringify(withCookies));

  const refused = await send(page, server.url, { ...base, 'X-Unknown': '1' });
  assert.match(refused.refused ?? '', /Failed to fetch/, JSON.stringify(refused));
});

test('a page of an origin that is not allowed is refused by the preflight', async (t) => {
  const origin = await startPage(t);
  const server = await startServer(t);
  const context = await startBrowser(t);
  const page = await context.newPage();
  await page.goto(origin);
  const answer = await send(page, server.url, {
    Authorization: `Bearer ${await tokenFor('ada')}`, 'Content-Type': 'application/json', ...componentHeaders,
  });
  assert.match(answer.refused ?? '', /Failed to fetch/, JSON.stringify(answer));
});

test('the model is told the language that the page prefers', async (t) => {
  const origin = await startPage(t);
  const upstream = await startUpstream(t, ['Bonjour.']);
  const server = await startServer(t, { demo: false, env: { ...upstream.env, CORS_ORIGINS: origin, SYSTEM_PROMPT: 'Be kind.' } });
  const context = await startBrowser(t);
  const page = await context.newPage();
  await page.goto(origin);
  const headers = {
    Authorization: `Bearer ${await tokenFor('ada')}`, 'Content-Type': 'application/json',
    ...componentHeaders, ...traceHeaders, 'Accept-Language': 'fr-CA,fr;q=0.9,en;q=0.8',
  };
  const answer = await page.evaluate(async ([url, headers, body]) => {
    const response = await fetch(`${url}/api/v1/chatkit`, { method: 'POST', headers, body });
    return { status: response.status, body: await response.text() };
  }, [server.url, headers, JSON.stringify({
    type: 'threads.create',
    params: { input: { content: [{ type: 'input_text', text: 'Salut' }], attachments: [], inference_options: {} } },
  })]);
  assert.equal(answer.status, 200, answer.body);
  assert.match(answer.body, /Bonjour/);
  assert.deepEqual(upstream.asked().messages[0], {
    role: 'system', content: "Be kind.\n\nThe user's locale is fr-CA.",
  });
});
