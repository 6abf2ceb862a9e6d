// Debian's Chromium, and a page that is watched: what it asks for, what it
// complains about, what it would have run.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const flags = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

/** A browser with a profile of its own. */
export async function startBrowser(t, options = {}) {
  const profile = await mkdtemp(join(tmpdir(), 'chatkit-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath, args: flags, viewport: { width: 1280, height: 800 }, ...options,
  });
  context.setDefaultTimeout(10_000);
  t.after(async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 3 });
  });
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
