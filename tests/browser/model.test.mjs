// The choice of a model in the playground.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBrowser } from './lab/browser.mjs';
import { message, openPlayground, say } from './lab/playground.mjs';
import { startServer, tokenFor } from './lab/server.mjs';
import { startUpstream } from './lab/upstream.mjs';

test('the model that is picked answers, and without a choice the server’s own', async (t) => {
  const upstream = await startUpstream(t, ['Here I am.']);
  const env = { ...upstream.env, OPENROUTER_MODEL: 'a/usual', MODELS: 'a/quick,a/usual,a/deep' };
  const server = await startServer(t, { demo: false, env });
  const context = await startBrowser(t);
  const { page, watch } = await openPlayground(context, server.url, await tokenFor('ada'));
  const choice = page.getByRole('combobox', { name: 'Model' });
  assert.deepEqual(await choice.locator('option').allTextContents(), ['a/usual (default)', 'a/quick', 'a/deep']);

  await say(page, 'Who answers?');
  assert.equal(upstream.asked().model, 'a/usual');
  await choice.selectOption('a/deep');
  await say(page, 'And now?');
  assert.equal(upstream.asked().model, 'a/deep');
  assert.match(await page.locator('#requests pre').first().textContent(), /"model": ?"a\/deep"/);

  // By keyboard: from the message on to the choice, and back to the first.
  await message(page).focus();
  await page.keyboard.press('Tab');
  assert.equal(await choice.evaluate((element) => element === document.activeElement), true, 'Tab does not lead to the choice');
  await page.keyboard.press('Home');
  await say(page, 'And again?');
  assert.equal(upstream.asked().model, 'a/usual');
  watch.assertClean();
});
