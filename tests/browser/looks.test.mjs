// Both pages in light and dark, wide and narrow: axe finds nothing serious,
// nothing is wider than the screen, the policy is strict. With SHOTS=folder the
// screenshots are kept, to be looked at.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { openPage, startBrowser } from './lab/browser.mjs';
import { attach, drag, filesEnv, picture, text, uploaded } from './lab/files.mjs';
import { folds, message, openPlayground, say } from './lab/playground.mjs';
import { startServer, tokenFor } from './lab/server.mjs';
import { toolsEnv } from './lab/tools.mjs';
import { startUpstream } from './lab/upstream.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const narrow = { width: 360, height: 720 };
const wide = { width: 1280, height: 800 };

async function shoot(page, name, options = {}) {
  if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`), ...options });
}

/** Looks at the page as it stands; colours in transition would be judged wrongly. */
async function look(page, name) {
  await page.evaluate(() => Promise.all(document.getAnimations().map((a) => a.finished.catch(() => {}))));
  await shoot(page, name);
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'], preload: false }));
  const bad = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(', ')}`);
  assert.deepEqual(bad, [], name);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, `${name} is ${overflow} px wider than the screen`);
}

const policyOf = async (url) => (await fetch(url)).headers.get('Content-Security-Policy');

const beforeAnAnswer = [
  [
    { think: '**Reading the request**\n\nTwo tasks are asked for. ' }, { think: 'I add each with `add_task` and then say so in one sentence.' },
    'I add both.', { call: 'tasks__add_task', args: '{"title":"Buy milk"}' },
    { call: 'tasks__add_task', args: '{"title":"Water the plants, the fern in the hall first","due":"2026-11-25T08:00:00Z","notify":["ada@example.test"]}' },
  ],
  [
    { think: 'The tool is not there, so neither task was added. ' }, 'hold', { think: 'I should tell that plainly.' },
    'I could not add them: **there is no such tool** here.\n\n1. Buy milk\n2. Water the plants',
    { finish: 'length' },
  ],
];

for (const colorScheme of ['light', 'dark']) {
  test(`the playground, ${colorScheme}`, async (t) => {
    const server = await startServer(t);
    const context = await startBrowser(t, { colorScheme, reducedMotion: 'reduce' });
    const { page, watch } = await openPlayground(context, server.url);
    const shot = (name) => look(page, `playground-${colorScheme}-${name}`);
    await shot('new');
    await say(page, 'Show me some code');
    await say(page, 'Make a list of tea, milk and bread');
    await shot('session');
    await message(page).fill('/fail');
    await message(page).press('Enter');
    await page.getByRole('alert').waitFor();
    await page.getByRole('button', { name: 'fetch', exact: true }).click();
    await shot('failure');
    await page.locator('.account').click();
    await shot('token');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^Delete session/ }).first().click();
    await shot('delete');
    await page.keyboard.press('Escape');
    await page.setViewportSize(narrow);
    await shot('narrow');
    await page.getByRole('button', { name: 'Sessions', exact: true }).click();
    await shot('narrow-sessions');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Requests', exact: true }).click();
    await shot('narrow-requests');
    watch.assertClean();
  });

  test(`thoughts and tools, ${colorScheme}`, async (t) => {
    const upstream = await startUpstream(t, ...beforeAnAnswer);
    const server = await startServer(t, { demo: false, env: { ...upstream.env, ...await toolsEnv(t) } });
    const context = await startBrowser(t, { colorScheme, reducedMotion: 'reduce', viewport: wide });
    const { page, watch } = await openPlayground(context, server.url, await tokenFor('ada'));
    const shot = (name) => look(page, `thinking-${colorScheme}-${name}`);
    await message(page).fill('Add two tasks: buy milk, and water the plants.');
    await message(page).press('Enter');
    await page.locator('.progress').nth(1).waitFor();
    await page.locator('.thoughts').last().getByText('neither').waitFor();
    await shot('under-way');
    upstream.release();
    await folds(page).filter({ hasText: 'Could not call' }).nth(1).waitFor();
    await shot('folded');
    for (const summary of await folds(page).locator('summary').all()) await summary.click();
    await page.locator('.messages').evaluate((box) => { box.scrollTop = 0; });
    await shot('open');
    await page.setViewportSize(narrow);
    await shot('narrow-open');
    await page.reload();
    await folds(page).filter({ hasText: 'Could not call' }).first().locator('summary').click();
    await shot('narrow-history');
    watch.assertClean();
  });

  test(`files and models, ${colorScheme}`, async (t) => {
    const upstream = await startUpstream(t, ['The picture is a page where nothing was written yet. On the list is milk.']);
    const env = { ...upstream.env, ...await filesEnv(t), OPENROUTER_MODEL: '~openai/gpt-mini-latest', MODELS: 'anthropic/claude-sonnet-4.5,mistralai/mistral-small-3.2-24b-instruct' };
    const server = await startServer(t, { demo: false, env });
    const context = await startBrowser(t, { colorScheme, reducedMotion: 'reduce', viewport: wide });
    const { page, watch } = await openPlayground(context, server.url, await tokenFor('ada'));
    const shot = (name) => look(page, `files-${colorScheme}-${name}`);
    await page.getByRole('combobox', { name: 'Model' }).waitFor();
    await shot('new');
    const files = [await picture(page, 'page.png'), text('a list of all that is to be bought before the weekend.txt', 'Buy milk\n')];
    await attach(page, ...files, { name: 'sheet.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF') });
    await uploaded(page, 'page.png', 'a list');
    await message(page).fill('What are these?');
    await shot('attached');
    await page.setViewportSize(narrow);
    await shot('narrow-attached');
    await page.setViewportSize(wide);
    const { drop } = await drag(page, 'more.txt', 'More');
    await page.getByText('Drop the files here').waitFor();
    await shot('drop');
    await drop();
    await uploaded(page, 'more.txt');
    await say(page, 'What are these?');
    const shown = page.getByRole('img', { name: 'page.png' });
    await page.waitForFunction((img) => img.complete, await shown.elementHandle());
    await shot('sent');
    await page.setViewportSize(narrow);
    await shot('narrow-sent');
    assert.ok((await page.getByRole('button', { name: 'Download a list' }).boundingBox()).x >= 0, 'a long name goes over the edge');
    watch.assertClean();
  });

  test(`the docs, ${colorScheme}`, async (t) => {
    const server = await startServer(t);
    const context = await startBrowser(t, { colorScheme, reducedMotion: 'reduce' });
    const { page, watch } = await openPage(context, server.url, '/docs');
    await page.locator('.opblock').first().waitFor();
    await look(page, `docs-${colorScheme}-top`);
    for (const id of ['createSession', 'listSessions', 'getSession', 'createRun', 'processChatKit']) {
      await page.locator(`.opblock[id$="-${id}"] .opblock-summary-control`).click();
      await page.locator(`.opblock[id$="-${id}"] .execute`).waitFor();
    }
    await page.locator('.opblock[id$="-createSession"] .execute').click();
    await page.locator('.live-responses-table').waitFor();
    await page.locator('.opblock[id$="-createRun"]').scrollIntoViewIfNeeded();
    await look(page, `docs-${colorScheme}-operations`);
    await page.locator('.btn.authorize').click();
    await page.locator('.auth-container').first().waitFor();
    await look(page, `docs-${colorScheme}-authorise`);
    await page.locator('.btn-done').first().click();
    await page.setViewportSize(narrow);
    await page.evaluate(() => scrollTo(0, 0));
    await look(page, `docs-${colorScheme}-narrow`);
    await page.locator('.opblock[id$="-createSession"]').scrollIntoViewIfNeeded();
    await look(page, `docs-${colorScheme}-narrow-operations`);
    watch.assertClean({ expected: [/status of 401/] });
  });
}

test('the switch of colours holds on both pages and over a reload', async (t) => {
  const server = await startServer(t);
  const context = await startBrowser(t, { colorScheme: 'light', viewport: wide });
  const { page } = await openPlayground(context, server.url);
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByRole('button', { name: 'Colours: system. Change to light' }).click();
  assert.equal(await ground(), light);
  await page.getByRole('button', { name: 'Colours: light. Change to dark' }).click();
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  assert.equal(await ground(), dark);
  await page.goto(`${server.url}/docs`);
  await page.getByRole('button', { name: 'Colours: dark' }).waitFor();
  assert.equal(await ground(), dark);
  await page.getByRole('button', { name: 'Colours: dark' }).click();
  assert.equal(await ground(), light);
});

test('the policy of both pages is strict', async (t) => {
  const server = await startServer(t);
  for (const path of ['/', '/docs']) {
    const policy = await policyOf(server.url + path);
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'self'(;|$)/);
    assert.match(policy, /style-src 'self'(;|$)/);
    assert.match(policy, /connect-src 'self'(;|$)/);
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  }
  assert.match(await policyOf(server.url), /img-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'/);
});
