// Swagger UI at /docs, as a person uses it: authorise, try every operation.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { openPage, startBrowser } from './lab/browser.mjs';
import { filesEnv, picture, text } from './lab/files.mjs';
import { startServer, tokenFor } from './lab/server.mjs';

/** The document, and its operations in the order of the page. */
async function operationsOf(server) {
  const document = await (await fetch(`${server.url}/openapi.json`)).json();
  const list = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (method !== 'parameters') list.push({ path, method, ...operation });
    }
  }
  return { document, list };
}

const block = (page, id) => page.locator(`.opblock[id$="-${id}"]`);

async function openBlock(page, id) {
  await block(page, id).locator('.opblock-summary-control').click();
  await block(page, id).locator('.execute').waitFor();
}

async function authorise(page, token) {
  await page.locator('.btn.authorize').click();
  await page.locator('#auth-bearer-value').fill(token);
  await page.locator('.auth-container', { has: page.locator('#auth-bearer-value') }).locator('button[type=submit]').click();
  await page.locator('.btn-done').first().click();
}

/** Executes an operation with what the page has filled in. */
async function execute(page, id) {
  // The answer to an earlier try would be taken for this one's.
  const clear = block(page, id).locator('.btn-clear');
  if (await clear.isVisible()) await clear.click();
  await block(page, id).locator('.execute').click();
  const answer = block(page, id).locator('.live-responses-table .response').first();
  await answer.locator('.response-col_status').waitFor();
  return {
    status: Number(/\d+/.exec(await answer.locator('.response-col_status').textContent())[0]),
    body: await answer.locator('.response-col_description').textContent(),
  };
}

// These need a file of the reader's; they have a test of their own.
const ofAFile = ['uploadAttachment', 'getAttachment'];

test('every operation answers 2xx with what the page fills in', async (t) => {
  const server = await startServer(t);
  const { list } = await operationsOf(server);
  const context = await startBrowser(t);
  const { page, watch } = await openPage(context, server.url, '/docs');
  await block(page, 'createSession').waitFor();
  const onPage = await page.locator('.opblock').evaluateAll((blocks) => blocks.map((b) => b.id.split('-').at(-1)));
  assert.deepEqual(onPage.toSorted(), list.map((o) => o.operationId).toSorted());
  await authorise(page, await tokenFor('ada'));

  // From top to bottom, but what deletes goes last.
  const order = onPage.filter((id) => id !== 'deleteSession' && !ofAFile.includes(id)).concat('deleteSession');
  for (const id of order) {
    await openBlock(page, id);
    const { status, body } = await execute(page, id);
    assert.ok(status >= 200 && status < 300, `${id} answered ${status}: ${body}`);
    if (id === 'createRun') {
      for (const part of ['"type":"thread.item.done"', 'content_part.text_delta', 'data: [DONE]']) {
        assert.ok(body.includes(part), `the stream lacks ${part}: ${body}`);
      }
    }
    if (id === 'processChatKit') {
      for (const part of ['"type":"thread.created"', 'content_part.text_delta', '"type":"thread.updated"']) {
        assert.ok(body.includes(part), `the stream lacks ${part}: ${body}`);
      }
      assert.doesNotMatch(body, /\[DONE\]/);
    }
    if (id === 'listSessions') assert.match(body, /"total": 1/, 'the list does not have the session');
    await block(page, id).locator('.opblock-summary-control').click();
  }
  watch.assertClean();
});

test('a file is announced, uploaded and read', async (t) => {
  const server = await startServer(t, { env: await filesEnv(t) });
  const context = await startBrowser(t);
  const { page, watch } = await openPage(context, server.url, '/docs');
  await block(page, 'createSession').waitFor();
  await authorise(page, await tokenFor('ada'));
  const words = 'Buy milk\nFeed the cat\n'; // as many bytes as the example announces

  await openBlock(page, 'processChatKit');
  await block(page, 'processChatKit').locator('.opblock-section-request-body select.examples-select-element').selectOption('attachment');
  const made = await execute(page, 'processChatKit');
  assert.equal(made.status, 200, made.body);
  assert.match(made.body, /"upload_descriptor"/);

  await openBlock(page, 'uploadAttachment');
  await block(page, 'uploadAttachment').locator('input[type=file]').setInputFiles(text('list.txt', words));
  const stored = await execute(page, 'uploadAttachment');
  assert.equal(stored.status, 204, stored.body);

  await openBlock(page, 'getAttachment');
  const read = await execute(page, 'getAttachment');
  assert.equal(read.status, 200, read.body);
  const download = page.waitForEvent('download');
  await block(page, 'getAttachment').locator('.live-responses-table a[download]').click();
  assert.equal(await readFile(await (await download).path(), 'utf8'), words);

  const image = await picture(page, 'page.png');
  const announced = { type: 'attachments.create', params: { name: 'page.png', mime_type: 'image/png', size: image.buffer.length } };
  await block(page, 'processChatKit').locator('textarea.body-param__text').fill(JSON.stringify(announced));
  assert.equal((await execute(page, 'processChatKit')).status, 200);
  await block(page, 'uploadAttachment').locator('input[type=file]').setInputFiles(image);
  assert.equal((await execute(page, 'uploadAttachment')).status, 204);
  assert.equal((await execute(page, 'getAttachment')).status, 200);
  const shown = block(page, 'getAttachment').locator('.live-responses-table img');
  await page.waitForFunction((img) => img.naturalWidth > 1000, await shown.elementHandle());
  watch.assertClean();
});

test('every failure that the document tells shows its examples', async (t) => {
  const server = await startServer(t);
  const { document, list } = await operationsOf(server);
  const context = await startBrowser(t);
  const { page, watch } = await openPage(context, server.url, '/docs');
  let looked = 0;
  for (const { operationId, responses } of list) {
    await block(page, operationId).waitFor();
    await openBlock(page, operationId);
    for (const [status, answer] of Object.entries(responses).filter(([code]) => code >= '400')) {
      const name = answer.$ref?.split('/').at(-1);
      const { examples } = (name ? document.components.responses[name] : answer).content['application/json'];
      const row = block(page, operationId).locator(`.responses-table:not(.live-responses-table) .response[data-code="${status}"]`);
      for (const [key, { value }] of Object.entries(examples)) {
        const choice = row.locator('select.examples-select-element');
        if (Object.keys(examples).length > 1) await choice.selectOption(key); // it waits for the choice to be there
        const said = JSON.stringify(value.error?.message ?? value.status);
        await row.locator('.example', { hasText: said }).waitFor();
        looked += 1;
      }
    }
    await block(page, operationId).locator('.opblock-summary-control').click();
  }
  assert.ok(looked > 40, `only ${looked} examples were looked at`);
  watch.assertClean();
});

test('without a token an operation is refused in words', async (t) => {
  const server = await startServer(t);
  const context = await startBrowser(t);
  const { page } = await openPage(context, server.url, '/docs');
  await openBlock(page, 'createSession');
  const { status, body } = await execute(page, 'createSession');
  assert.equal(status, 401);
  assert.match(body, /UNAUTHORIZED/);
});
