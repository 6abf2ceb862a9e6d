// Starts the built server on a free port and stops it after the test.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const binary = process.env.CHATKIT_BIN ?? join(root, 'bin/chatkit-rest');
const startPatience = 30_000;

export const secret = 'a-secret-of-the-browser-tests-0123456789';

/** The program's output for `serve`, its address once it listens, and its end. */
export async function startServer(t, { demo = true, env = {} } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'chatkit-browser-'));
  const child = spawn(binary, demo ? ['serve', '--demo'] : ['serve'], {
    cwd: folder,
    env: {
      PATH: process.env.PATH, HOME: folder, PORT: '0', JWT_SECRET: secret, LOG_FORMAT: 'json',
      DATABASE_URL: `sqlite:///${join(folder, 'chatkit.db')}`, RATE_LIMIT_PER_MINUTE: '1000', ...env,
    },
  });
  let output = '';
  const listening = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the server did not start:\n${output}`)), startPatience);
    const take = (bytes) => {
      output += bytes;
      const address = /"msg":"listening","address":"([^"]+)"/.exec(output)?.[1];
      const welcomed = !demo || output.includes('Say something');
      if (!address || !welcomed) return;
      clearTimeout(timer);
      resolve(`http://${address}`);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the server ended with ${code}:\n${output}`));
    });
  });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  return { url: await listening, output: () => output, stop: async () => { child.kill('SIGTERM'); await ended; } };
}

/** A token as `chatkit-rest token` makes it. */
export async function tokenFor(sub) {
  const child = spawn(binary, ['token', '--sub', sub], { cwd: tmpdir(), env: { PATH: process.env.PATH, JWT_SECRET: secret } });
  let output = '';
  child.stdout.on('data', (bytes) => { output += bytes; });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`chatkit-rest token ended with ${code}`);
  return output.trim();
}
