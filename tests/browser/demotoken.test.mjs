// The demo's token is for the demo's own page alone.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { test } from 'node:test';
import { failedRequest, startBrowser } from './lab/browser.mjs';
import { openPlayground, say, sessions } from './lab/playground.mjs';
import { startServer, tokenFor } from './lab/server.mjs';
import { startUpstream } from './lab/upstream.mjs';

/** Asks as no browser would let a page ask. */
async function ask(url, headers) {
  const call = request(`${url}/demo-token`, { headers });
  call.end();
  const [response] = await once(call, 'response');
  let body = '';
  for await (const bytes of response) body += bytes;
  return { status: response.statusCode, headers: response.headers, body };
}

const own = { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Dest': 'empty' };

test('only a script of the same origin on this machine gets it', async (t) => {
  const server = await startServer(t);
  const port = new URL(server.url).port;
  const good = await ask(server.url, own);
  assert.equal(good.status, 200);
  assert.match(JSON.parse(good.body).token, /^eyJ/);
  assert.equal(good.headers['cache-control'], 'no-store');
  assert.equal(good.headers['access-control-allow-origin'], undefined);
  assert.equal((await ask(server.url, { ...own, Host: `localhost:${port}` })).status, 200);

  const refused = {
    'curl': {},
    'another site': { ...own, 'Sec-Fetch-Site': 'cross-site' },
    'a sibling': { ...own, 'Sec-Fetch-Site': 'same-site' },
    'typed in': { 'Sec-Fetch-Site': 'none', 'Sec-Fetch-Dest': 'document' },
    'a frame': { ...own, 'Sec-Fetch-Dest': 'iframe' },
    'a name pointed here': { ...own, Host: `rebound.example:${port}` },
    'a name that begins alike': { ...own, Host: `127.0.0.1.example:${port}` },
    'localhost as a sub-domain': { ...own, Host: 'localhost.example' },
  };
  for (const [who, headers] of Object.entries(refused)) {
    const { status, body } = await ask(server.url, headers);
    assert.equal(status, 403, who);
    assert.equal(JSON.parse(body).error.code, 'FORBIDDEN', who);
    assert.ok(!body.includes('eyJ'), who);
  }
});

test('a server that is no demo has no such path', async (t) => {
  const upstream = await startUpstream(t, ['x']);
  const server = await startServer(t, { demo: false, env: upstream.env });
  assert.equal((await ask(server.url, own)).status, 404);
  assert.match(await (await fetch(server.url)).text(), /data-demo="no"/);
});

test('a demo that was started anew gives its page a new token, and no other', async (t) => {
  const first = await startServer(t, { env: { JWT_SECRET: undefined } });
  const context = await startBrowser(t);
  const { page, watch } = await openPlayground(context, first.url);
  const asked = () => watch.requests.filter((url) => url.endsWith('/demo-token')).length;
  assert.equal(asked(), 1);
  const before = await sessions(page).count();
  await first.stop();
  await startServer(t, { env: { JWT_SECRET: undefined, PORT: new URL(first.url).port } });
  await say(page, 'Are you still there?');
  assert.equal(await sessions(page).count(), before + 1);
  assert.equal(asked(), 2);
  assert.deepEqual(await page.locator('.entry > span:first-child').allTextContents(),
    ['Send a message', 'Create a session', 'List sessions']);

  // A token that the user entered is not replaced by a demo token.
  await page.locator('.account').click();
  await page.getByLabel('Token', { exact: true }).fill(await tokenFor('ada'));
  await page.getByRole('button', { name: 'Use this token' }).click();
  await page.getByRole('alert').getByText('The token is not accepted').first().waitFor();
  assert.equal(asked(), 2);
  watch.assertClean({ expected: [failedRequest] });
});

test('a page of another origin cannot read it', async (t) => {
  const server = await startServer(t);
  const other = await startServer(t);
  const context = await startBrowser(t);
  const page = await context.newPage();
  await page.goto(`${other.url}/health`);
  const got = await page.evaluate((url) => fetch(url).then((r) => r.text(), (e) => `refused: ${e}`), `${server.url}/demo-token`);
  assert.match(got, /^refused/);
});
