import { announce } from './announce';
import type { Desk } from './desk';
import type { Failure } from './failure';
import type { FileRules } from './offer';
import type { Attachment } from './types';

/** A file that is to go with the next message. */
export interface Upload {
  key: string;
  file: File;
  state: 'sending' | 'ready' | 'failed';
  /** What the server made of it, once it was announced. */
  attachment?: Attachment;
  failure?: Failure;
}

/** The files of the message that is being written: announced, then uploaded. */
export class Files {
  readonly #under = new Map<string, AbortController>();

  constructor(private readonly desk: Desk) {}

  get #all(): Upload[] { return this.desk.store.state.uploads; }

  /** Adds files to the message and begins to upload them. */
  add(files: Iterable<File>): void {
    const rules = this.desk.store.state.offer.files;
    if (!rules) return;
    for (const file of files) {
      const kept = this.#all.filter(({ state }) => state !== 'failed').length;
      const wrong = refusal(file, rules, kept);
      const upload: Upload = { key: crypto.randomUUID(), file, state: 'sending' };
      this.desk.store.set({ uploads: [...this.#all, upload] });
      if (wrong) this.#fail(upload, wrong);
      else void this.#send(upload);
    }
  }

  /** Removes a file from the message, and from the server. */
  remove(key: string): void {
    const one = this.#all.find((upload) => upload.key === key);
    if (!one) return;
    this.desk.store.set({ uploads: this.#all.filter((upload) => upload !== one) });
    announce(`${one.file.name} removed.`);
    this.discard([one]);
  }

  /** Hands over the files that are ready; those that failed stay to be seen. */
  take(): Upload[] {
    const ready = this.#all.filter(({ state }) => state === 'ready');
    this.desk.store.set({ uploads: this.#all.filter(({ state }) => state !== 'ready') });
    return ready;
  }

  /** Puts files back whose message was not taken. */
  putBack(uploads: Upload[]): void {
    this.desk.store.set({ uploads: [...uploads, ...this.#all] });
  }

  /** Empties the message that is being written. */
  clear(): void {
    const all = this.#all;
    this.desk.store.set({ uploads: [] });
    this.discard(all);
  }

  /** Empties it for another user, who may not delete what was this one's. */
  forget(): void {
    for (const abort of this.#under.values()) abort.abort();
    this.desk.store.set({ uploads: [] });
  }

  /** Deletes files that no message has. Where that fails the server does it in a day. */
  discard(uploads: Upload[]): void {
    for (const { key, attachment } of uploads) {
      this.#under.get(key)?.abort();
      if (attachment) void this.desk.try(() => this.#ask({ type: 'attachments.delete', params: { attachment_id: attachment.id } }));
    }
  }

  async #send(upload: Upload): Promise<void> {
    const abort = new AbortController();
    this.#under.set(upload.key, abort);
    const failure = await this.#upload(upload, abort.signal);
    this.#under.delete(upload.key);
    if (abort.signal.aborted) return;
    if (failure) {
      this.#fail(upload, failure);
      return;
    }
    this.#change(upload, { state: 'ready' });
    announce(`${upload.file.name} is uploaded.`);
  }

  async #upload(upload: Upload, signal: AbortSignal): Promise<Failure | undefined> {
    const { name, size } = upload.file;
    const mime_type = typeOf(upload.file);
    const made = await this.desk.try(() => this.#ask({ type: 'attachments.create', params: { name, size, mime_type } }, signal));
    if ('failure' in made) return made.failure;
    const attachment = made.data as Attachment;
    this.#change(upload, { attachment });
    // The link that came needs no token, but it names the server's public address, which may be another than this page's.
    const put = await this.desk.try(() => this.desk.client.PUT('/api/v1/attachments/{attachment_id}/content', {
      params: { path: { attachment_id: attachment.id } }, headers: { 'Content-Type': mime_type },
      body: upload.file as unknown as string, bodySerializer: (body: unknown) => body as BodyInit, signal,
    }));
    return 'failure' in put ? put.failure : undefined;
  }

  #ask(body: ProtocolRequest, signal?: AbortSignal) {
    return this.desk.client.POST('/api/v1/chatkit', { body, ...(signal ? { signal } : {}) });
  }

  #fail(upload: Upload, failure: Failure): void {
    this.#change(upload, { state: 'failed', failure });
    announce(`${upload.file.name}: ${failure.title}. ${failure.detail}`);
  }

  #change({ key }: Upload, change: Partial<Upload>): void {
    this.desk.store.set({ uploads: this.#all.map((one) => (one.key === key ? { ...one, ...change } : one)) });
  }
}

type ProtocolRequest =
  | { type: 'attachments.create'; params: { name: string; size: number; mime_type: string } }
  | { type: 'attachments.delete'; params: { attachment_id: string } };

// Browsers do not know the type of every text.
const typesByEnding: Record<string, string> = {
  csv: 'text/csv', json: 'application/json', log: 'text/plain', md: 'text/markdown', txt: 'text/plain',
};

function typeOf(file: File): string {
  return file.type || typesByEnding[file.name.split('.').at(-1)?.toLowerCase() ?? ''] || 'application/octet-stream';
}

/** What is wrong with a file before the server is asked. */
function refusal(file: File, rules: FileRules, kept: number): Failure | undefined {
  const refused = (title: string, detail: string): Failure => ({ code: 'FILE', title, detail, again: false });
  if (!rules.types.includes(typeOf(file).split(';')[0] ?? '')) {
    return refused('Not a type that is taken', `This server takes ${listed(rules.types.map(typeName))}.`);
  }
  if (file.size > rules.maxBytes) return refused('Too large', `This server takes files of up to ${sizeName(rules.maxBytes)}.`);
  if (file.size === 0) return refused('Empty', 'There is nothing in this file.');
  if (kept >= rules.most) return refused('Too many files', `A message may have ${rules.most}.`);
  return undefined;
}

const typeNames: Record<string, string> = { 'text/plain': 'plain text', 'text/markdown': 'Markdown', 'image/webp': 'WebP' };

/** A type as people call it. */
export function typeName(type: string): string {
  return typeNames[type] ?? (type.split('/')[1] ?? type).replace(/^x-|\+.*$/g, '').toUpperCase();
}

/** A size as people read it. */
export function sizeName(bytes: number): string {
  if (bytes < 1024) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  const [size, unit] = bytes < 1024 ** 2 ? [bytes / 1024, 'KiB'] : [bytes / 1024 ** 2, 'MiB'];
  return `${size.toFixed(size < 10 ? 1 : 0).replace(/\.0$/, '')} ${unit}`;
}

function listed(words: string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
