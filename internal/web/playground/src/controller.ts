import { announce } from './announce';
import { withCalls } from './answer';
import { Api } from './api';
import { readCapabilities } from './capabilities';
import type { Failure } from './failure';
import { callsAfter, messagesOf } from './history';
import { Run } from './run';
import { saveFile } from './save-file';
import { Store, type Thread, type Upload } from './state';
import { demoToken, firstToken, forgetToken, keepToken } from './token';
import type { Attachment } from './types';
import { Uploader } from './uploader';

const pageSize = 50;

/** The page's actions. It sends few requests, since a rate limit of thirty a minute is usual. */
export class Controller {
  readonly store = new Store();
  readonly #api = new Api(this.store);
  readonly uploader = new Uploader(this.#api);

  async begin(): Promise<void> {
    window.addEventListener('hashchange', () => void this.open(sessionInAddress()));
    void readCapabilities().then((capabilities) => this.store.set({ capabilities }));
    const token = await firstToken();
    this.store.set({ ready: true, token, tokenDialog: !token });
    if (token) await this.#showSessions();
  }

  /** Uses another token, which may be another user's, and starts over. */
  async useToken(token: string): Promise<void> {
    keepToken(token);
    await this.#startOver(token);
  }

  async useDemoToken(): Promise<void> {
    forgetToken();
    const token = await demoToken();
    if (token) await this.#startOver(token);
  }

  async #startOver(token: string): Promise<void> {
    await Promise.all(Object.values(this.store.state.threads).map((thread) => thread.stop?.()));
    this.uploader.forget();
    this.store.set({ token, tokenDialog: false, sessions: [], total: 0, listed: 'no', threads: {}, entries: [] });
    await this.#showSessions();
  }

  async #showSessions(): Promise<void> {
    await this.list();
    if (this.store.state.listed === 'yes') await this.open(sessionInAddress());
  }

  askForToken(): void { this.store.set({ tokenDialog: true }); }
  closeTokenDialog(): void { this.store.set({ tokenDialog: false }); }

  /** Lists the sessions, or the next page of them. */
  async list(more = false): Promise<void> {
    const { after, sessions } = this.store.state;
    this.store.set({ listed: 'loading' });
    const result = await this.#api.try(() => this.#api.client.GET('/api/v1/chatkit/sessions', {
      params: { query: { limit: pageSize, ...(more && after ? { after } : {}) } },
    }));
    if ('failure' in result) {
      this.store.set({ listed: 'failed', listFailure: result.failure });
      return;
    }
    const { data, meta } = result.data;
    this.store.set({
      listed: 'yes', listFailure: undefined, total: meta.total, after: meta.after,
      sessions: more ? [...sessions, ...data] : data,
    });
  }

  /** Opens a session, or with no id the page for a new one. */
  async open(id: string): Promise<void> {
    if (id !== this.store.state.open) this.uploader.clear();
    this.store.set({ open: id });
    setAddress(id);
    const known = this.store.state.threads[id];
    if (!id || !this.store.state.token || (known && known.phase !== 'failed')) return;
    this.#put({ id, phase: 'loading', messages: [] });
    const result = await this.#get(id);
    if ('failure' in result) {
      this.store.setThread(id, () => ({ phase: 'failed', failure: result.failure }));
      return;
    }
    const { messages, title } = result.data.data;
    this.store.setThread(id, () => ({ phase: 'ready', messages: messagesOf(messages) }));
    announce(`${title ?? 'Untitled session'}, ${messages.length} messages`);
  }

  #get(id: string) {
    return this.#api.try(() => this.#api.client.GET('/api/v1/chatkit/sessions/{session_id}', { params: { path: { session_id: id } } }));
  }

  /** Shows the tool calls of an answer. The stream has only their progress; the history has arguments and results. */
  async #showCalls(id: string, messageId: string, answer: string): Promise<void> {
    const result = await this.#get(id);
    if ('failure' in result) return; // The progress stays as it is.
    const { messages } = result.data.data;
    const calls = callsAfter(messages, messageId);
    this.store.setAnswer(id, answer, ({ parts }) => ({ parts: withCalls(parts, calls) }));
    this.store.setSession(id, { message_count: messages.length });
  }

  /** Deletes a session. */
  async remove(id: string): Promise<Failure | undefined> {
    const result = await this.#api.try(() => this.#api.client.DELETE('/api/v1/chatkit/sessions/{session_id}', {
      params: { path: { session_id: id } },
    }));
    if ('failure' in result && result.failure.code !== 'SESSION_NOT_FOUND') return result.failure;
    const { sessions, total, open, threads } = this.store.state;
    const { [id]: _, ...others } = threads;
    this.store.set({ sessions: sessions.filter((s) => s.id !== id), total: Math.max(0, total - 1), threads: others });
    announce('Session deleted');
    if (open === id) await this.open('');
    return undefined;
  }

  chooseModel(model: string): void { this.store.set({ model }); }

  /** Sends a message in the open session, or in a new one. */
  async send(text: string, uploads: Upload[] = []): Promise<void> {
    const id = this.store.state.open || await this.#create(text, uploads);
    if (!id) return;
    const run = new Run(this.#api, id, text, uploads.flatMap(({ attachment }) => attachment ?? []));
    await run.execute();
    if (!run.accepted) this.#returnFiles(id, uploads);
    if (run.usesTools) await this.#showCalls(id, run.messageId, run.answerKey);
  }

  /** Downloads a file of a message. */
  async download({ id, name }: Attachment): Promise<void> {
    const { open } = this.store.state;
    const result = await this.#api.try(() => this.#api.client.GET('/api/v1/attachments/{attachment_id}/content', {
      params: { path: { attachment_id: id } }, parseAs: 'blob',
    }));
    if ('failure' in result) this.store.setThread(open, () => ({ failure: result.failure }));
    else saveFile(result.data as Blob, name);
  }

  async #create(text: string, uploads: Upload[]): Promise<string> {
    // The empty id is the thread of a session that does not exist yet.
    this.#put({ id: '', phase: 'loading', messages: [] });
    const result = await this.#api.try(() => this.#api.client.POST('/api/v1/chatkit/sessions', { body: {} }));
    if ('failure' in result) {
      this.#put({ id: '', phase: 'ready', messages: [], failure: result.failure, returned: text });
      this.#returnFiles('', uploads);
      return '';
    }
    const { '': _, ...threads } = this.store.state.threads;
    const created = result.data.data;
    const summary = { ...created, title: null, updated_at: created.created_at, message_count: 0 };
    this.store.set({
      threads: { ...threads, [created.id]: { id: created.id, phase: 'ready', messages: [] } },
      sessions: [summary, ...this.store.state.sessions], total: this.store.state.total + 1, open: created.id,
    });
    setAddress(created.id);
    return created.id;
  }

  /** Puts the files of a refused message back into the composer, if its session is still open. */
  #returnFiles(id: string, uploads: Upload[]): void {
    if (this.store.state.open === id) this.uploader.putBack(uploads);
    else this.uploader.discard(uploads);
  }

  /** Removes the failure that a session shows. */
  dismiss(id: string): void {
    this.store.setThread(id, () => ({ failure: undefined, returned: undefined }));
  }

  #put(thread: Thread): void {
    this.store.set({ threads: { ...this.store.state.threads, [thread.id]: thread } });
  }
}

/** The session in the page's address, so that a reload opens it again. */
function sessionInAddress(): string {
  return /^#\/sessions\/([0-9a-f-]{36})$/i.exec(location.hash)?.[1] ?? '';
}

function setAddress(id: string): void {
  const hash = id ? `#/sessions/${id}` : '';
  if (location.hash !== hash) history.pushState(null, '', hash || location.pathname);
}
