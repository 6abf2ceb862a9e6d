import { useState } from 'preact/hooks';
import type { Entry } from './client';
import { CodeBlock } from './code-block';
import { asCurl, asFetch } from './snippet';

type Form = 'curl' | 'fetch';

/** The requests that the page has sent, newest first, as code to copy. */
export function Requests({ entries }: { entries: Entry[] }) {
  const [form, setForm] = useState<Form>('curl');
  const [open, setOpen] = useState<string>();
  const shown = open && entries.some(({ id }) => id === open) ? open : entries[0]?.id;
  const left = entries.find(({ left }) => left !== undefined)?.left;
  return (
    <>
      <div class="forms" role="group" aria-label="Show requests as">
        {(['curl', 'fetch'] as const).map((name) => (
          <button key={name} type="button" aria-pressed={form === name} onClick={() => setForm(name)}>{name}</button>
        ))}
      </div>
      <p class="muted small">
        Put your token in <code>{form === 'curl' ? 'TOKEN' : 'const TOKEN'}</code>; it is never shown here.
        {left !== undefined && ` ${left} ${left === 1 ? 'request is' : 'requests are'} left this minute.`}
      </p>
      {entries.length === 0 && <p class="muted">Requests appear here when you use the page.</p>}
      <ol class="entries">
        {entries.map((entry) => (
          <li key={entry.id}>
            <button
              type="button" class="entry" aria-expanded={entry.id === shown}
              onClick={() => setOpen(entry.id)}
            >
              <span>{entry.action}</span>
              <span class={`outcome ${entry.status >= 400 || entry.outcome === 'failed' ? 'bad' : ''}`}>{outcomeOf(entry)}</span>
            </button>
            {entry.id === shown && (
              <>
                <CodeBlock
                  code={form === 'curl' ? asCurl(entry) : asFetch(entry)}
                  language={form} what="request"
                />
                {entry.file && <p class="muted small"><code>FILE</code> is the file{form === 'curl' ? '’s path' : ', a Blob'}.</p>}
                {entry.streams && <p class="muted small">The answer goes on when the connection is closed. To stop it, send a POST to the run’s <code>/cancel</code>: the server keeps the text so far.</p>}
              </>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}

function outcomeOf({ status, outcome, took }: Entry): string {
  switch (outcome) {
    case 'pending':
      return '…';
    case 'stopped':
      return 'stopped';
    case 'failed':
      return 'failed';
    default:
      return `${status} · ${Math.round(took)} ms`;
  }
}
