// The playground as a person uses it.
import { openPage } from './browser.mjs';

export const message = (page) => page.getByLabel('Message', { exact: true });
export const sendButton = (page) => page.getByRole('button', { name: 'Send', exact: true });
export const stopButton = (page) => page.getByRole('button', { name: 'Stop the answer' });
export const answers = (page) => page.locator('article:not(.mine) > .prose');
export const folds = (page) => page.locator('article:not(.mine) > details');
export const sessions = (page) => page.locator('nav .session');

/** Opens the playground of a server and gives it a token, unless it has one. */
export async function openPlayground(context, url, token, path = '/') {
  const { page, watch } = await openPage(context, url, path);
  if (token) {
    await page.getByLabel('Token', { exact: true }).fill(token);
    await page.getByRole('button', { name: 'Use this token' }).click();
  }
  await page.locator('nav').getByText(/Sessions appear here|message/).first().waitFor({ state: 'attached' });
  return { page, watch };
}

/** Sends a message and waits until its answer is whole. */
export async function say(page, text) {
  const before = await page.locator('article:not(.mine)[aria-busy=false]').count();
  await message(page).fill(text);
  await message(page).press('Enter');
  await page.locator('article:not(.mine)[aria-busy=false]').nth(before).waitFor();
}

/** Whether a fold is open, and what stands on it. */
export const foldsNow = (page) => folds(page).evaluateAll((list) => list.map((fold) => [fold.querySelector('summary').textContent, fold.open]));
