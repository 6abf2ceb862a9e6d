// Debian's Chromium, and a page that is watched: what it asks for, what it
// complains about, what it would have run.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
// A busy machine is no failure; what never comes is.
const patience = 30_000;
const flags = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

let browser;
after(async () => { await browser?.close(); });

/** A context of its own, with nothing of another test's, in one browser with a new profile. */
export async function startBrowser(t, options = {}) {
  browser ??= await chromium.launch({ executablePath, args: flags });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(patience);
  t.after(() => context.close());
  return context;
}

/** What a page did that a test wants to know of. */
export class Watch {
  requests = [];
  complaints = [];
  dialogs = [];

  constructor(page, origin) {
    this.origin = origin;
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('dialog', (dialog) => { this.dialogs.push(dialog.message()); void dialog.dismiss(); });
  }

  /** Nothing left the origin, nothing broke the policy, no script failed. */
  assertClean({ expected = [] } = {}) {
    const foreign = this.requests.filter((url) => !url.startsWith(`${this.origin}/`) && !url.startsWith('blob:'));
    assert.deepEqual(foreign, [], 'requests that left the origin');
    const unexpected = this.complaints.filter((text) => !expected.some((pattern) => pattern.test(text)));
    assert.deepEqual(unexpected, [], 'complaints in the console');
    assert.deepEqual(this.dialogs, [], 'dialogs that a script opened');
  }
}

/** A new tab that is watched. */
export async function openPage(context, origin, path = '/') {
  const page = await context.newPage();
  const watch = new Watch(page, origin);
  await page.goto(origin + path);
  return { page, watch };
}

/** The console's word for an answer that is not 2xx; tests that want one expect it. */
export const failedRequest = /Failed to load resource: the server responded with a status of/;
