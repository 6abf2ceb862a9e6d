// The playground at / under `serve --demo` and with a pasted token.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { failedRequest, openPage, startBrowser } from './lab/browser.mjs';
import { answers, message, openPlayground, say, sendButton, sessions, stopButton } from './lab/playground.mjs';
import { startServer, tokenFor } from './lab/server.mjs';
import { startUpstream } from './lab/upstream.mjs';

test('the demo gives its page a token; sessions, history after a reload, delete', async (t) => {
  const server = await startServer(t);
  const context = await startBrowser(t);
  const { page, watch } = await openPlayground(context, server.url);

  await say(page, 'Make a list of tea, milk and bread');
  assert.deepEqual(await answers(page).locator('li').filter({ hasText: /^(tea|milk|bread)$/ }).allTextContents(), ['tea', 'milk', 'bread']);
  await say(page, 'What is 6 times 7?');
  assert.match(await answers(page).last().textContent(), /42/);
  await page.getByRole('heading', { level: 1, name: /Make a list/ }).waitFor();
  assert.match(await sessions(page).first().textContent(), /Make a list.*4 messages/);

  await page.reload();
  await page.locator('article').nth(3).waitFor();
  assert.equal(await page.locator('article').count(), 4);
  assert.match(await answers(page).last().textContent(), /42/);

  await page.getByRole('button', { name: 'New session' }).click();
  await say(page, 'What can you do?');
  const before = await sessions(page).count();
  await page.getByRole('button', { name: /^Delete session: Make a list/ }).click();
  await page.getByRole('button', { name: 'Keep it' }).click();
  assert.equal(await sessions(page).count(), before);
  await page.getByRole('button', { name: /^Delete session: Make a list/ }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await sessions(page).getByText('Make a list').waitFor({ state: 'detached' });
  assert.equal(await sessions(page).count(), before - 1);
  await page.reload();
  await page.locator('nav .session').first().waitFor();
  assert.equal(await sessions(page).count(), before - 1, 'the deleted session is back');
  watch.assertClean();
});

test('an answer streams, stop keeps what came, and the server has it too', async (t) => {
  const upstream = await startUpstream(t, ['The first words', ' and the next', 'hold', ' never']);
  const server = await startServer(t, { demo: false, env: upstream.env });
  const context = await startBrowser(t);
  const { page, watch } = await openPlayground(context, server.url, await tokenFor('ada'));

  await message(page).fill('Go on');
  await message(page).press('Enter');
  await answers(page).getByText('The first words and the next').waitFor();
  assert.equal(await page.locator('article[aria-busy=true]').count(), 1, 'the answer is not under way');
  await stopButton(page).click();
  await page.getByText('You stopped this answer.').waitFor();
  assert.equal(await message(page).evaluate((element) => element === document.activeElement), true, 'the focus is lost');
  await page.locator('#requests').getByText('stopped').waitFor();

  await page.reload();
  await page.locator('article.mine').waitFor();
  assert.equal(await answers(page).textContent(), 'The first words and the next');
  watch.assertClean();
});

test('a narrower window leaves the reader at the end of the thread, or where they had scrolled to', async (t) => {
  const paragraphs = Array.from({ length: 40 }, (_, n) => `Paragraph ${n} ${'of many words '.repeat(30)}\n\n`);
  const [wide, narrow] = [{ width: 700, height: 800 }, { width: 360, height: 800 }];
  const upstream = await startUpstream(t, [...paragraphs, 'The last line.']);
  const server = await startServer(t, { demo: false, env: upstream.env });
  const context = await startBrowser(t, { viewport: wide });
  const { page, watch } = await openPlayground(context, server.url, await tokenFor('ada'));
  const box = page.locator('.messages');
  const toEnd = page.getByRole('button', { name: 'Scroll to the end' });
  const below = () => box.evaluate(({ scrollHeight, scrollTop, clientHeight }) => Math.round(scrollHeight - scrollTop - clientHeight));
  const height = () => box.evaluate(({ scrollHeight }) => scrollHeight);
  await say(page, 'Go on');
  assert.ok(await below() <= 1, 'the page is not at the end');

  const before = await height();
  await page.setViewportSize(narrow);
  await eventually(async () => await height() > before && await below() <= 1);
  await toEnd.waitFor({ state: 'detached' });

  await page.setViewportSize(wide);
  await eventually(async () => await height() === before && await below() <= 1);
  const read = page.getByText('Paragraph 10 ');
  await read.evaluate((element) => element.scrollIntoView());
  await toEnd.waitFor();
  await page.setViewportSize(narrow);
  await eventually(async () => await height() > before);
  // Two frames: whatever the change of size leads to has happened.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const moved = await read.evaluate((element) => element.getBoundingClientRect().top - element.closest('.messages').getBoundingClientRect().top);
  assert.ok(Math.abs(moved) < 100, `the paragraph is ${moved} px from the top`);
  assert.equal(await toEnd.count(), 1);
  watch.assertClean();
});

test('an incomplete answer says why, also after a reload', async (t) => {
  const upstream = await startUpstream(t,
    ['Once upon a', { finish: 'length' }], ['I may', { finish: 'content_filter' }], ['That is all.']);
  const server = await startServer(t, { demo: false, env: upstream.env });
  const context = await startBrowser(t);
  const { page, watch } = await openPlayground(context, server.url, await tokenFor('ada'));
  const statuses = () => page.getByRole('status').allTextContents();
  const expected = [
    "The answer is cut: it reached the model's limit of tokens.",
    "The answer is cut: the model provider's content filter ended it.",
    '',
  ];
  for (const text of ['A story', 'Another', 'Thanks']) await say(page, text);
  assert.deepEqual(await statuses(), expected);
  assert.deepEqual(await answers(page).allTextContents(), ['Once upon a', 'I may', 'That is all.']);
  const announced = await page.locator('[aria-live=polite] p').allTextContents();
  assert.equal(announced.filter((line) => line === 'The answer is complete.').length, 1, 'an incomplete answer is announced as complete');

  await page.reload();
  await answers(page).getByText('That is all.').waitFor();
  assert.deepEqual(await statuses(), expected);
  watch.assertClean();
});

test('the requests are shown as curl and fetch that work, without the token', async (t) => {
  const server = await startServer(t);
  const context = await startBrowser(t, { permissions: ['clipboard-read', 'clipboard-write'] });
  const { page, watch } = await openPlayground(context, server.url);
  const tricky = `It's "$HOME" \`id\` \\ 'quoted' – “ü”\n</script>`;
  await say(page, tricky);
  const token = (await page.evaluate(() => fetch('/demo-token').then((r) => r.json()))).token;

  const actions = await page.locator('.entry > span:first-child').allTextContents();
  assert.deepEqual(actions, ['Send a message', 'Create a session', 'List sessions']);
  for (const form of ['curl', 'fetch']) {
    await page.getByRole('button', { name: form, exact: true }).click();
    for (const action of actions) {
      await page.locator('.entry', { hasText: action }).click();
      await page.getByRole('button', { name: 'Copy request' }).click();
      await page.getByRole('button', { name: 'Copy request' }).filter({ hasText: 'Copied' }).waitFor();
      const code = await page.evaluate(() => navigator.clipboard.readText());
      assert.ok(code.includes('TOKEN') && !code.includes(token), `${form} of ${action}:\n${code}`);
      const output = await (form === 'curl' ? runShell(code, token) : runScript(code, token));
      assert.match(output, action === 'Send a message' ? /data: \[DONE\]/ : /"?success"?: ?true/, code);
      if (action === 'Send a message') assert.ok(output.includes(JSON.stringify(tricky).slice(1, -1).slice(0, 20)), output);
    }
  }
  assert.ok(!(await page.content()).includes(token), 'the page shows the token');
  watch.assertClean();
});

test('failures are shown with the reason', async (t) => {
  const upstream = await startUpstream(t, 402, ['Back again.']);
  const server = await startServer(t, { demo: false, env: { ...upstream.env, MAX_SESSIONS_PER_USER: '1', UPSTREAM_FIRST_BYTE_TIMEOUT: '5s' } });
  const context = await startBrowser(t);
  const { page, watch } = await openPage(context, server.url);

  await page.getByLabel('Token', { exact: true }).fill('not.a.token');
  await page.getByRole('button', { name: 'Use this token' }).click();
  await page.getByRole('alert').getByText('The token is not accepted').waitFor();
  for (const text of ['"quoted.as.text"', 'eyJ…', 'token: a.b.c', 'Bearer ü']) {
    await page.getByLabel('Token', { exact: true }).fill(text);
    await page.getByRole('button', { name: 'Use this token' }).click();
    await page.getByRole('dialog').getByRole('alert').getByText('This is not a token').waitFor();
    await page.getByLabel('Token', { exact: true }).fill('');
    await page.getByText('This is not a token').waitFor({ state: 'detached' });
  }
  const wrapped = (await tokenFor('ada')).replace(/.{40}/g, '$&\n  ');
  await page.getByLabel('Token', { exact: true }).fill(` Bearer\n${wrapped}\n`);
  await page.getByRole('button', { name: 'Use this token' }).click();
  await page.getByText('Sessions appear here').waitFor();

  await message(page).fill('Is anybody there?');
  await message(page).press('Enter');
  await page.getByRole('alert').getByText('The model did not answer').waitFor();
  await page.getByRole('button', { name: 'Send it again' }).click();
  await answers(page).getByText('Back again.').waitFor();

  await page.getByRole('button', { name: 'New session' }).click();
  await message(page).fill('One too many');
  await message(page).press('Enter');
  await page.getByRole('alert').getByText('delete one first').waitFor();
  assert.equal(await message(page).inputValue(), 'One too many', 'the message is lost');

  await message(page).fill('x'.repeat(501));
  await page.getByText('1 characters too many').waitFor();
  assert.equal(await sendButton(page).isDisabled(), true);

  await page.goto(`${server.url}/#/sessions/3f0a9d52-6c1e-4b7a-9f43-2d5b8c7e1a60`);
  await page.getByRole('alert').getByText('This session no longer exists').waitFor();

  await sessions(page).first().click();
  await answers(page).getByText('Back again.').waitFor();
  await server.stop();
  await message(page).fill('Hello?');
  await message(page).press('Enter');
  await page.getByRole('alert').getByText('The server cannot be reached').waitFor();
  assert.equal(await message(page).inputValue(), 'Hello?');
  watch.assertClean({ expected: [failedRequest, /ERR_CONNECTION_REFUSED/] });
});

test('a failure in the middle of an answer keeps what came', async (t) => {
  const server = await startServer(t);
  const context = await startBrowser(t);
  const { page, watch } = await openPlayground(context, server.url);
  await message(page).fill('/fail');
  await message(page).press('Enter');
  await page.getByRole('alert').getByText('The answer was interrupted').waitFor();
  await page.getByText('The answer ends here.').waitFor();
  assert.match(await answers(page).last().textContent(), /The provider fails in the middle/);
  watch.assertClean();
});

test('thirty requests a minute are enough, and a refusal shows the time to wait', async (t) => {
  const server = await startServer(t, { env: { RATE_LIMIT_PER_MINUTE: '6' } });
  const context = await startBrowser(t);
  const { page, watch } = await openPlayground(context, server.url);
  for (const text of ['one', 'two', 'three']) await say(page, text);
  const calls = watch.requests.filter((url) => url.includes('/api/v1/'));
  assert.equal(calls.length, 5, `list, create and three runs, not:\n${calls.join('\n')}`);
  await say(page, 'four');
  await message(page).fill('five');
  await message(page).press('Enter');
  const alert = page.getByRole('alert');
  await alert.getByText('Too many requests').waitFor();
  assert.match(await alert.textContent(), /in \d+ seconds/);
  assert.match(await page.locator('.countdown').textContent(), /^Try again in \d+ s\.$/);
  assert.equal(await message(page).inputValue(), 'five', 'the message is lost');
  watch.assertClean({ expected: [failedRequest] });
});

test('the token stays in its tab', async (t) => {
  const upstream = await startUpstream(t, ['Hello.']);
  const server = await startServer(t, { demo: false, env: upstream.env });
  const context = await startBrowser(t);
  const { page } = await openPlayground(context, server.url, await tokenFor('ada'));
  await page.reload();
  await page.getByText('Sessions appear here').waitFor();
  const stored = await page.evaluate(() => ({ local: { ...localStorage }, cookies: document.cookie }));
  assert.deepEqual(stored, { local: {}, cookies: '' });
  const other = await openPage(context, server.url);
  await other.page.getByRole('heading', { name: 'Your token' }).waitFor();
});

async function runShell(code, token) {
  const { stdout } = await promisify(execFile)('bash', ['-c', code], { env: { PATH: process.env.PATH, TOKEN: token } });
  return stdout;
}

async function runScript(code, token) {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', `const TOKEN = process.env.TOKEN;\n${code}`], {
    env: { PATH: process.env.PATH, TOKEN: token },
  });
  return stdout;
}

async function eventually(condition) {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('it did not come about in 30 s');
  }
}
