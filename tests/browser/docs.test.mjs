// Swagger UI at /docs, as a person uses it: authorise, try every operation.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage, startBrowser } from './lab/browser.mjs';
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
  await block(page, id).locator('.execute').click();
  const answer = block(page, id).locator('.live-responses-table .response').first();
  await answer.locator('.response-col_status').waitFor();
  return {
    status: Number(/\d+/.exec(await answer.locator('.response-col_status').textContent())[0]),
    body: await answer.locator('.response-col_description').textContent(),
  };
}

// These need a file of the reader's, announced first at the protocol's door.
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
