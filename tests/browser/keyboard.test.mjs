// The playground without a mouse and without a screen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBrowser } from './lab/browser.mjs';
import { answers, message, openPlayground, say, sessions, stopButton } from './lab/playground.mjs';
import { startServer, tokenFor } from './lab/server.mjs';
import { startUpstream } from './lab/upstream.mjs';

/** What has the focus, as a screen reader would name it. */
const focused = (page) => page.evaluate(() => {
  const element = document.activeElement;
  return element?.getAttribute('aria-label') ?? element?.labels?.[0]?.textContent ?? element?.textContent ?? '';
});

/** Presses Tab until something of that name has the focus. */
async function tabTo(page, name) {
  for (let i = 0; i < 60; i += 1) {
    if (name.test(await focused(page))) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab does not lead to ${name}; it stopped at ${await focused(page)}`);
}

test('everything can be done with the keyboard', async (t) => {
  const server = await startServer(t);
  const context = await startBrowser(t);
  const { page, watch } = await openPlayground(context, server.url);

  assert.equal(await focused(page), 'Message', 'the page does not begin at the message');
  await page.keyboard.type('My name is Ada');
  await page.keyboard.press('Enter');
  await answers(page).first().getByText('Nice to meet you, Ada').waitFor();
  assert.equal(await focused(page), 'Message');
  await page.keyboard.type('two');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('lines');
  assert.equal(await message(page).inputValue(), 'two\nlines');

  await tabTo(page, /^Requests$/);
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('#requests').isVisible(), false);
  await page.keyboard.press('Enter');
  await tabTo(page, /^fetch$/);
  await page.keyboard.press('Space');
  assert.equal(await page.getByRole('button', { name: 'fetch', exact: true }).getAttribute('aria-pressed'), 'true');
  await tabTo(page, /^Copy request$/);

  const count = await sessions(page).count();
  await tabTo(page, /^Delete session: My name is Ada/);
  await page.keyboard.press('Enter');
  await tabTo(page, /^Delete$/);
  await page.keyboard.press('Enter');
  await page.locator('dialog').waitFor({ state: 'detached' });
  assert.equal(await sessions(page).count(), count - 1);
  // The open session is gone, so the page is ready for a new one.
  await page.waitForFunction(() => document.activeElement?.id === 'message');
  await tabTo(page, /^Delete session: Untitled/);
  await page.keyboard.press('Enter');
  await tabTo(page, /^Delete$/);
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement?.textContent === 'New session');
  watch.assertClean();
});

test('at 360 px the sessions and the requests are drawers that keep the focus', async (t) => {
  const server = await startServer(t);
  const context = await startBrowser(t, { viewport: { width: 360, height: 720 } });
  const { page } = await openPlayground(context, server.url);
  await say(page, 'Hello');
  for (const [opener, closer] of [['Sessions', 'Close the sessions'], ['Requests', 'Close the requests']]) {
    const button = page.getByRole('button', { name: opener, exact: true });
    await button.focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction((name) => document.activeElement?.getAttribute('aria-label') === name, closer);
    assert.equal(await page.locator('main').evaluate((main) => main.inert), true);
    await page.keyboard.press('Escape');
    await page.waitForFunction((name) => (document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent) === name, opener);
  }
  await page.getByRole('button', { name: 'Sessions', exact: true }).click();
  await page.getByRole('button', { name: 'New session' }).click();
  await page.getByRole('heading', { level: 1, name: 'New session' }).waitFor();
  await page.waitForFunction(() => getComputedStyle(document.getElementById('menu')).visibility === 'hidden');
});

test('a screen reader hears the answer by sentences, and how it ended', async (t) => {
  const upstream = await startUpstream(t, ['The first', ' sentence. And', ' the second', 'hold', ' one.'], ['More to', 'hold', ' come.']);
  const server = await startServer(t, { demo: false, env: upstream.env });
  const context = await startBrowser(t);
  const { page } = await openPlayground(context, server.url, await tokenFor('ada'));
  const said = () => page.locator('[aria-live=polite] p').allTextContents();

  await message(page).fill('Go on');
  await message(page).press('Enter');
  await page.locator('[aria-live=polite]').getByText('The first sentence.').waitFor({ state: 'attached' });
  assert.equal(await answers(page).count(), 1);
  upstream.release();
  await page.locator('[aria-live=polite]').getByText('The answer is complete.').waitFor({ state: 'attached' });
  assert.deepEqual((await said()).slice(-4), ['Sent. Waiting for the answer.', 'The first sentence.', 'And the second one.', 'The answer is complete.']);
  assert.equal(await page.locator('article[aria-busy=true]').count(), 0);
  assert.equal(await stopButton(page).count(), 0);
});
