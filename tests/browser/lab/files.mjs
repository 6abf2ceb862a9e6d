// Files as a person attaches them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The settings of a server that keeps files. */
export async function filesEnv(t) {
  const folder = await mkdtemp(join(tmpdir(), 'chatkit-files-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return { ATTACHMENTS_URL: `file:///${folder}` };
}

export const text = (name, words) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(words) });

/** A real picture: of the page, as it stands. */
export const picture = async (page, name) => ({ name, mimeType: 'image/png', buffer: await page.screenshot() });

export const attachButton = (page) => page.getByRole('button', { name: 'Attach files' });
export const chips = (page) => page.locator('.composer .file');
export const chip = (page, name) => chips(page).filter({ hasText: name });

/** Picks files in the browser's dialog. */
export async function attach(page, ...files) {
  const chooser = page.waitForEvent('filechooser');
  await attachButton(page).click();
  await (await chooser).setFiles(files);
}

/** Waits until these are uploaded. */
export async function uploaded(page, ...names) {
  for (const name of names) await page.locator('.composer .file.ready', { hasText: name }).waitFor();
}

/** Pastes a picture where the message is written, with a text beside it perhaps. */
export async function paste(page, { name, buffer }, words) {
  await page.locator('#message').evaluate((element, [name, base64, words]) => {
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name, { type: 'image/png' }));
    if (words) clipboardData.setData('text/plain', words);
    element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }, [name, buffer.toString('base64'), words]);
}

/** Drags a text over an element of the page. */
export async function drag(page, name, words) {
  const dataTransfer = await page.evaluateHandle(([name, words]) => {
    const data = new DataTransfer();
    data.items.add(new File([words], name, { type: 'text/plain' }));
    return data;
  }, [name, words]);
  await page.dispatchEvent('.messages', 'dragover', { dataTransfer });
  return { drop: () => page.dispatchEvent('.messages', 'drop', { dataTransfer }) };
}
