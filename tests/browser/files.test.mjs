// Files in the playground: attached, uploaded, sent, seen again; and refused.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { failedRequest, startBrowser } from './lab/browser.mjs';
import { attach, attachButton, chip, chips, drag, filesEnv, paste, picture, text, uploaded } from './lab/files.mjs';
import { answers, message, openPlayground, say, sendButton } from './lab/playground.mjs';
import { startServer, tokenFor } from './lab/server.mjs';
import { startUpstream } from './lab/upstream.mjs';

/** A playground whose server keeps files, and the model behind it. */
async function begin(t, { env = {}, scripts = [['A page, and a list.']], options = {} } = {}) {
  const upstream = await startUpstream(t, ...scripts);
  const server = await startServer(t, { demo: false, env: { ...upstream.env, ...await filesEnv(t), ...env } });
  const context = await startBrowser(t, options);
  const token = await tokenFor('ada');
  const opened = await openPlayground(context, server.url, token);
  await attachButton(opened.page).waitFor();
  return { ...opened, upstream, server, token };
}

const said = (page) => page.locator('[aria-live=polite] p').allTextContents();

test('a picture and a text are uploaded, answered, and seen again', async (t) => {
  const { page, watch, upstream } = await begin(t);
  const image = await picture(page, 'page.png');
  await attach(page, image, text('list.txt', 'Buy milk\n'));
  await uploaded(page, 'page.png', 'list.txt');
  assert.match(await chip(page, 'list.txt').textContent(), /9 bytes/);
  const drawn = await chip(page, 'page.png').locator('canvas').evaluate((canvas) => canvas.getContext('2d').getImageData(40, 40, 1, 1).data[3]);
  assert.equal(drawn, 255, 'the picture is not drawn');
  await say(page, 'What are these?');
  assert.equal(await answers(page).textContent(), 'A page, and a list.');
  assert.equal(await chips(page).count(), 0, 'the files are still to be sent');

  const parts = upstream.asked().messages.at(-1).content;
  assert.equal(parts.find(({ type }) => type === 'image_url').image_url.url, `data:image/png;base64,${image.buffer.toString('base64')}`);
  assert.match(JSON.stringify(parts.filter(({ type }) => type === 'text')), /list\.txt.*Buy milk/);

  for (const again of [false, true]) {
    if (again) await page.reload();
    const shown = page.locator('article.mine').getByRole('img', { name: 'page.png' });
    await shown.waitFor();
    await page.waitForFunction((img) => img.complete && img.naturalWidth > 1000, await shown.elementHandle());
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download list.txt' }).click();
    assert.equal((await download).suggestedFilename(), 'list.txt');
    assert.equal(await readFile(await (await download).path(), 'utf8'), 'Buy milk\n');
  }
  watch.assertClean();
});

test('files can be dropped and pasted, and sent without a word', async (t) => {
  const { page, watch, upstream } = await begin(t);
  const { drop } = await drag(page, 'dropped.txt', 'Feed the cat');
  await page.getByText('Drop the files here').waitFor();
  await drop();
  await page.getByText('Drop the files here').waitFor({ state: 'detached' });
  await uploaded(page, 'dropped.txt');
  await paste(page, await picture(page, 'cells.png'), 'a table');
  await paste(page, await picture(page, 'pasted.png'));
  await uploaded(page, 'pasted.png');
  assert.equal(await chip(page, 'cells.png').count(), 0, 'a text was pasted as a picture');
  await say(page, '');
  assert.match(JSON.stringify(upstream.asked().messages.at(-1)), /image_url.*dropped\.txt.*Feed the cat|dropped\.txt.*Feed the cat.*image_url/);
  assert.equal(await page.locator('article.mine .message-text').count(), 0, 'an empty message is shown');
  watch.assertClean();
});

test('a refused file is listed with the reason, and the message is sent without it', async (t) => {
  const env = { ATTACHMENT_MAX_BYTES: '2048', ATTACHMENT_TYPES: 'image/png,text/plain' };
  const { page, watch, upstream } = await begin(t, { env });
  await attach(
    page, text('large.txt', 'x'.repeat(2049)), text('empty.txt', ''), { name: 'sheet.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF') },
    { name: 'fake.png', mimeType: 'image/png', buffer: Buffer.from('no picture') }, text('good.txt', 'Good.'),
  );
  for (const [name, words] of [
    ['large.txt', 'Too large. This server accepts files of up to 2 KiB.'], ['empty.txt', 'Empty. The file has no content.'],
    ['sheet.pdf', 'File type not supported. This server accepts PNG and plain text.'], ['fake.png', 'File type not supported.'],
  ]) {
    await chip(page, name).getByText(words).waitFor();
    await page.locator('[aria-live=polite]').getByText(`${name}: ${words}`).waitFor({ state: 'attached' });
  }
  await uploaded(page, 'good.txt');
  await say(page, 'Read it');
  assert.match(JSON.stringify(upstream.asked()), /Good\./);
  assert.doesNotMatch(JSON.stringify(upstream.asked()), /large\.txt|fake\.png/);
  assert.equal(await chips(page).count(), 4, 'what was not sent is not seen any more');
  await page.getByRole('button', { name: 'Remove fake.png' }).click();
  await page.locator('.entry', { hasText: 'Delete an attachment' }).filter({ hasText: '200' }).waitFor();
  await page.getByRole('button', { name: 'New session' }).click();
  await chips(page).first().waitFor({ state: 'detached' });
  watch.assertClean({ expected: [failedRequest] });
});

test('a refused message keeps its files', async (t) => {
  const { page } = await begin(t, { env: { MAX_SESSIONS_PER_USER: '1' } });
  await say(page, 'The first session');
  await page.getByRole('button', { name: 'New session' }).click();
  await attach(page, text('list.txt', 'Buy milk'));
  await uploaded(page, 'list.txt');
  await message(page).fill('One too many');
  await message(page).press('Enter');
  await page.getByRole('alert').getByText('delete one first').waitFor();
  assert.equal(await message(page).inputValue(), 'One too many');
  await uploaded(page, 'list.txt');
  await page.getByRole('button', { name: /^Delete session/ }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.locator('dialog').waitFor({ state: 'detached' });
  await say(page, 'Now it fits');
  await page.getByRole('button', { name: 'Download list.txt' }).waitFor();
});

test('a message that was saved before its run failed stays, with its files', async (t) => {
  const { page } = await begin(t);
  await page.route('**/runs', (route) => route.fulfill({
    status: 503, contentType: 'application/json', headers: { 'X-Run-Id': 'e1b7c3a4-2f58-4d90-9b6c-85a0d4f7e312', 'Retry-After': '5' },
    body: JSON.stringify({ success: false, error: {
      code: 'SERVICE_UNAVAILABLE', message: 'The server is busy with the files of other messages; try again shortly.',
    } }),
  }));
  await attach(page, text('list.txt', 'Buy milk'));
  await uploaded(page, 'list.txt');
  await message(page).fill('Read it');
  await message(page).press('Enter');
  await page.getByRole('alert').getByText('busy with the files').waitFor();
  assert.equal(await message(page).inputValue(), '');
  assert.equal(await chips(page).count(), 0, 'its files would be refused as sent already');
  await page.locator('article').getByText('Read it').waitFor();
});

test('a message waits for its files, and a file can be taken back on the way', async (t) => {
  const { page } = await begin(t);
  let pass;
  const held = new Promise((resolve) => { pass = resolve; });
  await page.route('**/content', async (route) => { await held; await route.continue().catch(() => {}); });
  await attach(page, text('slow.txt', 'slow'), text('gone.txt', 'gone'));
  await chip(page, 'slow.txt').getByText('Uploading…').waitFor();
  await message(page).fill('Read it');
  assert.equal(await sendButton(page).isDisabled(), true);
  await message(page).press('Enter');
  await page.getByText('You can send once the files are uploaded.').waitFor();
  assert.equal(await page.locator('article').count(), 0, 'it was sent without its files');
  await page.getByRole('button', { name: 'Remove gone.txt' }).click();
  pass();
  await uploaded(page, 'slow.txt');
  assert.equal(await chips(page).count(), 1);
  await message(page).press('Enter');
  await page.getByRole('button', { name: 'Download slow.txt' }).waitFor();
});

test('files need neither a mouse nor a screen', async (t) => {
  const { page, watch } = await begin(t);
  const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.id);
  const tabTo = async (name) => {
    for (let i = 0; i < 40 && (await focused()) !== name; i += 1) await page.keyboard.press('Tab');
    assert.equal(await focused(), name, 'Tab does not lead there');
  };
  const chooser = page.waitForEvent('filechooser'); // early: the browser has to be told of it
  await tabTo('Attach files');
  await page.keyboard.press('Enter');
  await (await chooser).setFiles([text('one.txt', '1'), text('two.txt', '2')]);
  await uploaded(page, 'one.txt', 'two.txt');
  assert.equal(await focused(), 'message', 'the focus is not where the message is written');
  await tabTo('Remove one.txt');
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'Remove two.txt');
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'message');
  assert.deepEqual((await said(page)).slice(-4).toSorted(), ['one.txt is uploaded.', 'one.txt removed.', 'two.txt is uploaded.', 'two.txt removed.']);
  watch.assertClean();
});

test('the requests of a file are shown as curl and fetch that work', async (t) => {
  const { page, watch, token } = await begin(t, { options: { permissions: ['clipboard-read', 'clipboard-write'] } });
  await attach(page, text('list.txt', 'Buy milk'));
  await uploaded(page, 'list.txt');
  await say(page, 'Read it');
  await page.getByRole('button', { name: 'Download list.txt' }).click();
  await page.locator('.entry', { hasText: 'Download a file' }).filter({ hasText: '200' }).waitFor();
  const codeOf = async (form, action) => {
    await page.getByRole('button', { name: form, exact: true }).click();
    await page.locator('.entry', { hasText: action }).click();
    await page.getByRole('button', { name: 'Copy request' }).click();
    await page.getByRole('button', { name: 'Copy request' }).filter({ hasText: 'Copied' }).waitFor();
    const code = await page.evaluate(() => navigator.clipboard.readText());
    assert.ok(code.includes('TOKEN') && !code.includes(token) && !code.includes('signature'), code);
    return code;
  };
  const file = join(tmpdir(), `chatkit-download-${process.pid}.txt`);
  const env = { PATH: process.env.PATH, TOKEN: token, FILE: file };
  const shell = async (code) => (await promisify(execFile)('bash', ['-c', code], { env })).stdout;
  const script = async (code) => (await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { env })).stdout;
  const given = 'const TOKEN = process.env.TOKEN;\n';

  await shell(await codeOf('curl', 'Download a file'));
  assert.equal(await readFile(file, 'utf8'), 'Buy milk');
  assert.match(await script(`${given}${await codeOf('fetch', 'Download a file')}\nconsole.log(await FILE.text());`), /Buy milk/);
  // A file is uploaded once: the answer shows that the request was understood.
  assert.match(await shell(await codeOf('curl', 'Upload a file')), /ATTACHMENT_CONFLICT/);
  assert.match(await script(`${given}const FILE = new Blob(['Buy milk']);\n${await codeOf('fetch', 'Upload a file')}`), /409/);
  assert.match(await shell(await codeOf('curl', 'Create an attachment')), /upload_descriptor/);
  watch.assertClean();
});

test('a server that keeps no files offers none', async (t) => {
  const upstream = await startUpstream(t, ['Hello.']);
  const server = await startServer(t, { demo: false, env: upstream.env });
  const context = await startBrowser(t);
  const { page } = await openPlayground(context, server.url, await tokenFor('ada'));
  await say(page, 'Hello');
  await page.waitForFunction(() => performance.getEntriesByName(`${location.origin}/openapi.json`).length > 0);
  assert.equal(await attachButton(page).count(), 0);
  assert.equal(await page.getByRole('combobox').count(), 0, 'there is a choice of one model');
  await (await drag(page, 'dropped.txt', 'Feed the cat')).drop();
  assert.equal(await chips(page).count(), 0);
});
