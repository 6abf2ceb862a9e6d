// What a model writes is shown and nothing else: it does not run, it fetches
// nothing, it does not lead to anything but a web page or a mail.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { startBrowser } from './lab/browser.mjs';
import { answers, openPlayground, say, sessions } from './lab/playground.mjs';
import { startServer, tokenFor } from './lab/server.mjs';
import { startUpstream } from './lab/upstream.mjs';

/** A host that must never hear of an answer. */
async function startOutsider(t) {
  const heard = [];
  const server = createServer((request, response) => { heard.push(request.url); response.end(); });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${server.address().port}`, heard };
}

const hostile = (out) => [
  `<script>window.ran = 'script'; fetch('${out}/script')</script>\n\n`,
  `<img src="${out}/img" onerror="window.ran = 'onerror'"><svg onload="window.ran = 'svg'"></svg>\n\n`,
  `<iframe src="${out}/iframe"></iframe><object data="${out}/object"></object><style>@import '${out}/style';</style>\n\n`,
  `<link rel="stylesheet" href="${out}/link"><meta http-equiv="refresh" content="0;url=${out}/meta"><base href="${out}/">\n\n`,
  `![remote](${out}/markdown-image) ![data](data:image/png;base64,iVBORw0KGgo=)\n\n`,
  `![ref][pic]\n\n[pic]: ${out}/reference-image "title"\n\n`,
  "[js](javascript:window.ran='link') [JS](JaVaScRiPt:window.ran='link') [tab](java&#9;script:window.ran='link')\n\n",
  "[data](data:text/html,<script>window.ran='data'</script>) [vb](vbscript:x) [file](file:///etc/passwd) [blob](blob:x)\n\n",
  '[rel](/docs) [proto](//example.test/x) [frag](#/sessions/x) <javascript:alert(1)>\n\n',
  `[web](https://example.test/page "onmouseover=alert(1)") [mail](mailto:ada@example.test) <https://example.test/auto>\n\n`,
  "`<script>window.ran='code'</script>`\n\n```html\n<img src=x onerror=\"window.ran='fence'\">\n```\n\n",
  '```" onload="window.ran=1\nx\n```\n\n',
  '| a | b |\n| --- | --- |\n| <img src=x onerror=alert(1)> | [x](javascript:alert(1)) |\n\n',
  '# <script>alert(1)</script> heading\n\nThe end of it.',
];

test('nothing of a hostile answer runs or is fetched', async (t) => {
  const outsider = await startOutsider(t);
  const upstream = await startUpstream(t, hostile(outsider.url));
  const server = await startServer(t, { demo: false, env: upstream.env });
  const context = await startBrowser(t);
  const { page, watch } = await openPlayground(context, server.url, await tokenFor('ada'));

  // As it streams, and again from the history.
  await say(page, '<img src=x onerror="window.ran = \'mine\'">');
  await inspect(page);
  await page.reload();
  await answers(page).first().waitFor();
  await inspect(page);
  assert.match(await sessions(page).first().textContent(), /<img src=x/, 'the title is not shown as text');

  assert.deepEqual(outsider.heard, [], 'the outsider heard of it');
  watch.assertClean();
});

async function inspect(page) {
  const answer = answers(page).last();
  await answer.getByText('The end of it.').waitFor();
  const kinds = await answer.evaluate((root) => [...new Set([...root.querySelectorAll('*')].map((e) => e.tagName.toLowerCase()))]);
  const allowed = new Set(['p', 'a', 'code', 'pre', 'div', 'span', 'button', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'h3', 'em', 'strong']);
  assert.deepEqual(kinds.filter((kind) => !allowed.has(kind)), []);
  const attributes = await answer.evaluate((root) => [...root.querySelectorAll('*')].flatMap((e) => e.getAttributeNames()));
  assert.deepEqual(attributes.filter((name) => name.startsWith('on') || ['src', 'style', 'srcdoc'].includes(name)), []);
  const links = await answer.locator('a').evaluateAll((list) => list.map((a) => [a.getAttribute('href'), a.rel, a.target]));
  const rel = 'noopener noreferrer nofollow';
  assert.deepEqual(links.filter(([href]) => !href.includes('127.0.0.1')), [
    ['https://example.test/page', rel, '_blank'], ['mailto:ada@example.test', rel, '_blank'], ['https://example.test/auto', rel, '_blank'],
  ]);
  assert.ok(links.every(([href, r, target]) => /^(https?|mailto):/.test(href) && r === rel && target === '_blank'));
  assert.equal(await page.evaluate(() => window.ran), undefined, 'something ran');
  assert.equal(await page.locator('article img, article iframe, article script, article svg').count(), 0);
}

test('huge nesting and long lines do not break the page', async (t) => {
  const scripts = [
    `${'>'.repeat(20_000)} Seen.`, `${'- '.repeat(5000)}Seen.`, `${'1. '.repeat(400)}Seen.`, `${'['.repeat(20_000)}x${'](y)'.repeat(2000)}`,
    '*'.repeat(30_000), `${'`'.repeat(10_000)} x`, 'a'.repeat(100_000), `${'**a *b '.repeat(5000)}`, `${'![a]('.repeat(5000)}`,
    `${'&#0;&#x110000;\u202e\u0000\ufeff'.repeat(500)}`,
  ];
  const upstream = await startUpstream(t, ...scripts.map((text) => [text, '\n\nStill here.']));
  const server = await startServer(t, { demo: false, env: { ...upstream.env, MAX_SESSIONS_PER_USER: '50' } });
  const context = await startBrowser(t);
  const { page, watch } = await openPlayground(context, server.url, await tokenFor('ada'));
  for (const text of scripts) {
    await say(page, 'Go on');
    const depth = await answers(page).last().evaluate((root) => {
      const depthOf = (element) => 1 + Math.max(0, ...[...element.children].map(depthOf));
      return depthOf(root);
    });
    assert.ok(depth < 80, `${text.slice(0, 10)}… is ${depth} elements deep`);
    const seen = await answers(page).last().textContent();
    assert.match(seen, /Still here\./, text.slice(0, 10));
    if (text.includes('Seen.')) assert.match(seen, /Seen\./, 'text is hidden');
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.equal(wide, false, 'a long word widened the page');
  watch.assertClean();
});
