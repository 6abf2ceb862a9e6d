import { announce } from './announce';
import type { Api } from './api';
import type { FileRules } from './capabilities';
import type { Failure } from './failure';
import { enumeration, sizeName, typeName } from './format';
import type { Upload } from './state';
import type { Attachment } from './types';

/** Uploads the files of the message that is being written. */
export class Uploader {
  readonly #inFlight = new Map<string, AbortController>();

  constructor(private readonly api: Api) {}

  get #all(): Upload[] { return this.api.store.state.uploads; }

  /** Adds files to the message and begins to upload them. */
  add(files: Iterable<File>): void {
    const rules = this.api.store.state.capabilities.files;
    if (!rules) return;
    for (const file of files) {
      const accepted = this.#all.filter(({ state }) => state !== 'failed').length;
      const refused = checkFile(file, rules, accepted);
      const upload: Upload = { key: crypto.randomUUID(), file, state: 'uploading' };
      this.api.store.set({ uploads: [...this.#all, upload] });
      if (refused) this.#fail(upload, refused);
      else void this.#run(upload);
    }
  }

  /** Removes a file from the message and from the server. */
  remove(key: string): void {
    const upload = this.#all.find((one) => one.key === key);
    if (!upload) return;
    this.api.store.set({ uploads: this.#all.filter((one) => one !== upload) });
    announce(`${upload.file.name} removed.`);
    this.discard([upload]);
  }

  /** Removes the uploaded files from the list and returns them. Failed ones stay in the list. */
  takeReady(): Upload[] {
    const ready = this.#all.filter(({ state }) => state === 'ready');
    this.api.store.set({ uploads: this.#all.filter(({ state }) => state !== 'ready') });
    return ready;
  }

  /** Puts the files of a refused message back into the list. */
  putBack(uploads: Upload[]): void {
    this.api.store.set({ uploads: [...uploads, ...this.#all] });
  }

  /** Removes all files from the message and from the server. */
  clear(): void {
    const all = this.#all;
    this.api.store.set({ uploads: [] });
    this.discard(all);
  }

  /** Empties the list without deleting: a new user may not delete the files of the one before. */
  forget(): void {
    for (const abort of this.#inFlight.values()) abort.abort();
    this.api.store.set({ uploads: [] });
  }

  /** Deletes files that no message uses. The server deletes them after a day where this fails. */
  discard(uploads: Upload[]): void {
    for (const { key, attachment } of uploads) {
      this.#inFlight.get(key)?.abort();
      if (attachment) void this.api.try(() => this.#protocol({ type: 'attachments.delete', params: { attachment_id: attachment.id } }));
    }
  }

  async #run(upload: Upload): Promise<void> {
    const abort = new AbortController();
    this.#inFlight.set(upload.key, abort);
    const failure = await this.#send(upload, abort.signal);
    this.#inFlight.delete(upload.key);
    if (abort.signal.aborted) return;
    if (failure) {
      this.#fail(upload, failure);
      return;
    }
    this.#change(upload, { state: 'ready' });
    announce(`${upload.file.name} is uploaded.`);
  }

  /** Creates the attachment, then sends its content. */
  async #send(upload: Upload, signal: AbortSignal): Promise<Failure | undefined> {
    const { name, size } = upload.file;
    const mime_type = mediaType(upload.file);
    const created = await this.api.try(() => this.#protocol({ type: 'attachments.create', params: { name, size, mime_type } }, signal));
    if ('failure' in created) return created.failure;
    const attachment = created.data as Attachment;
    this.#change(upload, { attachment });
    // The upload URL needs no token, but it names the server's public address. This page may be open at another one.
    const sent = await this.api.try(() => this.api.client.PUT('/api/v1/attachments/{attachment_id}/content', {
      params: { path: { attachment_id: attachment.id } }, headers: { 'Content-Type': mime_type },
      body: upload.file as unknown as string, bodySerializer: (body: unknown) => body as BodyInit, signal,
    }));
    return 'failure' in sent ? sent.failure : undefined;
  }

  #protocol(body: ProtocolRequest, signal?: AbortSignal) {
    return this.api.client.POST('/api/v1/chatkit', { body, ...(signal ? { signal } : {}) });
  }

  #fail(upload: Upload, failure: Failure): void {
    this.#change(upload, { state: 'failed', failure });
    announce(`${upload.file.name}: ${failure.title}. ${failure.detail}`);
  }

  #change({ key }: Upload, change: Partial<Upload>): void {
    this.api.store.set({ uploads: this.#all.map((one) => (one.key === key ? { ...one, ...change } : one)) });
  }
}

type ProtocolRequest =
  | { type: 'attachments.create'; params: { name: string; size: number; mime_type: string } }
  | { type: 'attachments.delete'; params: { attachment_id: string } };

// Browsers do not know the media type of every text file.
const typesByExtension: Record<string, string> = {
  csv: 'text/csv', json: 'application/json', log: 'text/plain', md: 'text/markdown', txt: 'text/plain',
};

function mediaType(file: File): string {
  return file.type || typesByExtension[file.name.split('.').at(-1)?.toLowerCase() ?? ''] || 'application/octet-stream';
}

/** Why a file is refused without asking the server, if it is. */
function checkFile(file: File, rules: FileRules, accepted: number): Failure | undefined {
  const refused = (title: string, detail: string): Failure => ({ code: 'FILE', title, detail, retryable: false });
  if (!rules.types.includes(mediaType(file).split(';')[0] ?? '')) {
    return refused('File type not supported', `This server accepts ${enumeration(rules.types.map(typeName))}.`);
  }
  if (file.size > rules.maxBytes) return refused('Too large', `This server accepts files of up to ${sizeName(rules.maxBytes)}.`);
  if (file.size === 0) return refused('Empty', 'The file has no content.');
  if (accepted >= rules.most) return refused('Too many files', `A message can have at most ${rules.most}.`);
  return undefined;
}
