// What a model does before it answers: its thoughts, and the tools it calls.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBrowser } from './lab/browser.mjs';
import { answers, folds, foldsNow, message, openPlayground, say } from './lab/playground.mjs';
import { startServer, tokenFor } from './lab/server.mjs';
import { toolsEnv } from './lab/tools.mjs';
import { startUpstream } from './lab/upstream.mjs';

const spoken = (page) => page.locator('[aria-live=polite] p').allTextContents();

async function open(t, scripts, options = {}) {
  const upstream = await startUpstream(t, ...scripts);
  const server = await startServer(t, { demo: false, env: { ...upstream.env, ...await toolsEnv(t), ...options.env } });
  const context = await startBrowser(t, options.browser);
  const token = await tokenFor('ada');
  return { upstream, server, token, ...(await openPlayground(context, server.url, token)) };
}

test('a thought is open while it grows and folded when it is done, with how long it took', async (t) => {
  const { page, upstream, watch } = await open(t, [
    [{ think: '**First** I add' }, { think: ' six and seven.' }, 'hold', 'Thir', 'teen.'],
  ]);
  await message(page).fill('Six and seven?');
  await message(page).press('Enter');
  await page.locator('.thoughts').getByText('First I add six and seven.').waitFor();
  assert.deepEqual(await foldsNow(page), [['Thinking', true]]);
  assert.equal(await page.locator('.thoughts strong').textContent(), 'First');
  assert.equal(await answers(page).count(), 0, 'the thought is shown as the answer');

  upstream.release();
  await answers(page).getByText('Thirteen.').waitFor();
  await page.locator('article[aria-busy=true]').waitFor({ state: 'detached' });
  const [[summary, isOpen], ...others] = await foldsNow(page);
  assert.match(summary, /^Thought for (a moment|\d+ seconds?)$/);
  assert.deepEqual([isOpen, others], [false, []]);
  assert.equal(await page.locator('.thoughts').isVisible(), false);

  // The keyboard opens it, and it stays so.
  await folds(page).locator('summary').focus();
  await page.keyboard.press('Enter');
  await page.locator('.thoughts').getByText('First I add six and seven.').waitFor();
  assert.deepEqual((await spoken(page)).slice(-5).map((line) => line.replace(/^Thought for .*/, 'Thought')),
    ['Sent. Waiting for the answer.', 'Thinking.', 'Thought', 'Thirteen.', 'The answer is complete.']);
  watch.assertClean();
});

test('a thought that the user folds stays folded', async (t) => {
  const { page, upstream, watch } = await open(t, [[{ think: 'Hm.' }, 'hold', { think: ' More.' }, 'Done.'], [{ think: 'Ho.' }, 'hold']]);
  await message(page).fill('Go on');
  await message(page).press('Enter');
  await page.locator('.thoughts').getByText('Hm.').waitFor();
  await folds(page).locator('summary').click();
  assert.deepEqual(await foldsNow(page), [['Thinking', false]]);
  upstream.release();
  await answers(page).getByText('Done.').waitFor();
  assert.equal((await foldsNow(page))[0][1], false);
  watch.assertClean();
});

test('a run that is stopped while it thinks', async (t) => {
  const { page, watch } = await open(t, [[{ think: 'I wonder' }, 'hold']]);
  await message(page).fill('Go on');
  await message(page).press('Enter');
  await page.locator('.thoughts').getByText('I wonder').waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('You stopped this answer.').waitFor();
  assert.deepEqual(await foldsNow(page), [['Thought for a moment', false]]);
  assert.equal(await page.locator('.dots').count(), 0, 'something still moves');
  watch.assertClean();
});

// The tools that are called here are not among those offered, so the server
// itself answers: that there is no such tool.
test('a call of an unknown tool shows as such while the run is live, and then what it was given', async (t) => {
  const { page, upstream, watch } = await open(t, [
    ['Let me see.', { call: 'add_task', args: '{"title":"Buy milk"}' }, { call: 'list_tasks', args: '{}' }],
    [{ think: 'Both failed.' }, 'hold', 'I cannot.'],
  ]);
  await message(page).fill('Add task: Buy milk');
  await message(page).press('Enter');
  await page.locator('.thoughts').getByText('Both failed.').waitFor();
  assert.deepEqual(await page.locator('.progress').allTextContents(), ['Could not call add_task', 'Could not call list_tasks']);
  upstream.release();
  await folds(page).filter({ hasText: 'Could not call list_tasks' }).waitFor();
  const seen = async () => page.locator('article:not(.mine) > :is(details, .prose)').evaluateAll(
    (list) => list.map((part) => (part.querySelector('summary') ?? part).textContent.replace(/for .*/, '')),
  );
  assert.deepEqual(await seen(), ['Let me see.', 'Could not call add_task', 'Could not call list_tasks', 'Thought ', 'I cannot.']);
  assert.equal(await page.locator('.progress').count(), 0);
  const before = await page.locator('nav .session-note').textContent();

  await page.reload();
  await answers(page).getByText('I cannot.').waitFor();
  // The history of this door has no thoughts.
  assert.deepEqual(await seen(), ['Let me see.', 'Could not call add_task', 'Could not call list_tasks', 'I cannot.']);
  assert.equal(await page.locator('article').count(), 2, 'one question and one answer');
  assert.equal(await page.locator('nav .session-note').textContent(), before);
  const call = folds(page).filter({ hasText: 'add_task' });
  assert.equal(await call.evaluate((fold) => fold.open), false);
  await call.locator('summary').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Arguments' }).getByText('{"title":"Buy milk"}').waitFor();
  await page.getByRole('region', { name: 'Result' }).getByText('There is no tool of this name.').waitFor();
  watch.assertClean();
});

test('a tool that answers shows as used beside a call of it that could not be made', async (t) => {
  const { page, upstream, watch } = await open(t, [
    [{ call: 'lab__nothing', args: '{}' }, { call: 'lab__nothing', args: '{"a":' }],
    [{ think: 'One of two.' }, 'hold', 'Once.'],
  ]);
  await message(page).fill('Do nothing twice');
  await message(page).press('Enter');
  await page.locator('.thoughts').getByText('One of two.').waitFor();
  assert.deepEqual(await page.locator('.progress').allTextContents(), ['Using lab__nothing …', 'Could not call lab__nothing']);
  upstream.release();
  await answers(page).getByText('Once.').waitFor();
  const calls = folds(page).filter({ hasText: 'lab__nothing' });
  for (const reloaded of [false, true]) {
    if (reloaded) await page.reload();
    await calls.nth(1).waitFor();
    assert.deepEqual(await calls.locator('summary').allTextContents(), ['Used lab__nothing', 'Could not call lab__nothing']);
  }
  watch.assertClean();
});

test("a call of another page's tool, waiting and then answered", async (t) => {
  const { page, server, token, watch } = await open(t, [
    [{ call: 'show_map', args: '{"city":"Graz"}' }], ['There it is.'],
  ]);
  const ask = (body) => fetch(`${server.url}/api/v1/chatkit`, {
    method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }, body: JSON.stringify(body),
  }).then((response) => response.text());
  const events = await ask({
    type: 'threads.create',
    params: { input: { content: [{ type: 'input_text', text: 'Where is ' }, { type: 'input_tag', id: 'g', text: 'Graz', data: {} }], attachments: [], inference_options: {} } },
    metadata: { client_tools: [{ name: 'show_map' }] },
  });
  const thread_id = /"thread_id":"([^"]+)"/.exec(events)[1];
  await page.goto(`${server.url}/#/sessions/${thread_id}`);
  const call = folds(page).filter({ hasText: 'Used show_map' });
  await call.locator('summary').click();
  await page.getByText('It returned no result.').waitFor();
  assert.equal(await page.locator('.message-text').textContent(), 'Where is @Graz');

  await ask({ type: 'threads.add_client_tool_output', params: { thread_id, result: { shown: true } } });
  await page.reload();
  await answers(page).getByText('There it is.').waitFor();
  await call.locator('summary').click();
  await page.getByRole('region', { name: 'Result' }).getByText('{"shown":true}').waitFor();
  watch.assertClean();
});

// Arguments that are no JSON are shown as the model wrote them.
const unreadable = `{"b":"<script>window.ran=6</script><img src=x onerror=window.ran=7>`;
const vile = `"><img src=x onerror="window.ran=1"><script>window.ran=2</script>[x](javascript:window.ran=3)`;

test('thoughts, names, arguments and results are text, whatever they hold', async (t) => {
  const { page, watch } = await open(t, [
    [
      { think: `${vile}\n\n<svg onload="window.ran=4">` },
      { call: vile, args: `{"a":"${'x'.repeat(3000)}<img src=x onerror=window.ran=5>"}` },
      { call: 'lab__nothing', args: unreadable },
    ],
    ['The end.'],
  ], { browser: { viewport: { width: 360, height: 720 } } });
  await say(page, 'Go on');
  for (const reloaded of [false, true]) {
    if (reloaded) await page.reload();
    await folds(page).filter({ hasText: 'Could not call' }).nth(1).waitFor();
    for (const summary of await folds(page).locator('summary').all()) await summary.click();
    const calls = await folds(page).filter({ hasText: 'Could not call' }).allTextContents();
    assert.ok(calls[0].includes(vile), 'the name is not shown');
    assert.ok(calls[1].includes(unreadable) && calls[1].includes('Not called: '), 'the unreadable arguments are not shown');
    assert.equal(await page.locator('article :is(img, svg, script, a[href^="javascript"])').count(), 0);
    assert.equal(await page.evaluate(() => window.ran), undefined, 'something ran');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false, 'a long argument widened the page');
  }
  watch.assertClean();
});
