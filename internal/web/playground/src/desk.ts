import { announce } from './announce';
import { callsAfter, partsOf, withCalls, written } from './answer';
import { newClient, type Client, type Entry } from './client';
import { told, unreachable, type Failure } from './failure';
import { Files, type Upload } from './files';
import { readOffer } from './offer';
import { save } from './save';
import { Store, type Shown, type Thread } from './state';
import { demoToken, firstToken, forgetToken, isDemoToken, keepToken, page } from './token';
import { follow } from './run';
import type { Attachment, Message } from './types';

const mostEntries = 12;
const pageSize = 50;

/** Everything that the page does. Few requests: an address has thirty a minute. */
export class Desk {
  readonly store = new Store();
  readonly client: Client = newClient({
    token: () => this.store.state.token,
    renew: () => this.#renew(),
    onEntry: (entry) => this.#keep(entry),
  });
  readonly files = new Files(this);

  async begin(): Promise<void> {
    window.addEventListener('hashchange', () => void this.open(sessionInAddress()));
    void readOffer().then((offer) => this.store.set({ offer }));
    const token = await firstToken();
    this.store.set({ ready: true, token, tokenDialog: !token });
    if (token) await this.#look();
  }

  /** Uses the token from now on, as another user perhaps. */
  async useToken(token: string): Promise<void> {
    keepToken(token);
    await this.#startOver(token);
  }

  async useDemoToken(): Promise<void> {
    forgetToken();
    const token = await demoToken();
    if (token) await this.#startOver(token);
  }

  /** A demo that was started anew signs with another secret: nobody has to look for a button. */
  async #renew(): Promise<string> {
    const token = isDemoToken() ? await demoToken() : '';
    if (token) this.store.set({ token });
    return token;
  }

  async #startOver(token: string): Promise<void> {
    for (const thread of Object.values(this.store.state.threads)) thread.stop?.();
    this.files.forget();
    this.store.set({ token, tokenDialog: false, sessions: [], total: 0, listed: 'no', threads: {}, entries: [] });
    await this.#look();
  }

  async #look(): Promise<void> {
    await this.list();
    if (this.store.state.listed === 'yes') await this.open(sessionInAddress());
  }

  askForToken(): void { this.store.set({ tokenDialog: true }); }
  closeTokenDialog(): void { this.store.set({ tokenDialog: false }); }

  /** Lists the sessions, or the next page of them. */
  async list(more = false): Promise<void> {
    const { after, sessions } = this.store.state;
    this.store.set({ listed: 'loading' });
    const result = await this.try(() => this.client.GET('/api/v1/chatkit/sessions', {
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
    if (id !== this.store.state.open) this.files.clear();
    this.store.set({ open: id });
    show(id);
    const known = this.store.state.threads[id];
    if (!id || !this.store.state.token || (known && known.phase !== 'failed')) return;
    this.#put({ id, phase: 'loading', messages: [] });
    const result = await this.#get(id);
    if ('failure' in result) {
      this.store.setThread(id, () => ({ phase: 'failed', failure: result.failure }));
      return;
    }
    const { messages, title } = result.data.data;
    this.store.setThread(id, () => ({ phase: 'ready', messages: shown(messages) }));
    announce(`${title ?? 'Untitled session'}, ${messages.length} messages`);
  }

  #get(id: string) {
    return this.try(() => this.client.GET('/api/v1/chatkit/sessions/{session_id}', { params: { path: { session_id: id } } }));
  }

  /** The stream tells only that tools are used; the history has what they were given and what they gave. */
  async showCalls(id: string, asked: string, answer: string): Promise<void> {
    const result = await this.#get(id);
    if ('failure' in result) return; // The progress that was told stays.
    const { messages } = result.data.data;
    const calls = callsAfter(messages, asked);
    this.store.setAnswer(id, answer, ({ parts }) => ({ parts: withCalls(parts, calls) }));
    this.store.setSession(id, { message_count: messages.length });
  }

  async remove(id: string): Promise<Failure | undefined> {
    const result = await this.try(() => this.client.DELETE('/api/v1/chatkit/sessions/{session_id}', {
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
    if (id) await follow(this, id, text, uploads);
  }

  /** Gives a file of a message to the person at the page. */
  async download({ id, name }: Attachment): Promise<void> {
    const { open } = this.store.state;
    const result = await this.try(() => this.client.GET('/api/v1/attachments/{attachment_id}/content', {
      params: { path: { attachment_id: id } }, parseAs: 'blob',
    }));
    if ('failure' in result) this.store.setThread(open, () => ({ failure: result.failure }));
    else save(result.data as Blob, name);
  }

  async #create(text: string, uploads: Upload[]): Promise<string> {
    // Its own entry keeps what was written while there is no session.
    this.#put({ id: '', phase: 'loading', messages: [] });
    const result = await this.try(() => this.client.POST('/api/v1/chatkit/sessions', { body: {} }));
    if ('failure' in result) {
      this.#put({ id: '', phase: 'ready', messages: [], failure: result.failure, returned: text });
      this.giveBack('', uploads);
      return '';
    }
    const { '': _, ...threads } = this.store.state.threads;
    const made = result.data.data;
    const summary = { ...made, title: null, updated_at: made.created_at, message_count: 0 };
    this.store.set({
      threads: { ...threads, [made.id]: { id: made.id, phase: 'ready', messages: [] } },
      sessions: [summary, ...this.store.state.sessions], total: this.store.state.total + 1, open: made.id,
    });
    show(made.id);
    return made.id;
  }

  /** The files of a message that was not taken go back to where it is written, if that is still open. */
  giveBack(id: string, uploads: Upload[]): void {
    if (this.store.state.open === id) this.files.putBack(uploads);
    else this.files.discard(uploads);
  }

  dismiss(id: string): void {
    this.store.setThread(id, () => ({ failure: undefined, returned: undefined }));
  }

  #put(thread: Thread): void {
    this.store.set({ threads: { ...this.store.state.threads, [thread.id]: thread } });
  }

  #keep(entry: Entry): void {
    const others = this.store.state.entries.filter(({ id }) => id !== entry.id);
    this.store.set({ entries: [entry, ...others].slice(0, mostEntries) });
  }

  /** The newest run of a session was stopped, after its answer had begun perhaps. */
  noteStopped(id: string): void {
    const entry = this.store.state.entries.find(({ streams, url }) => streams && url.includes(id));
    if (entry) this.store.set({ entries: this.store.state.entries.map((e) => (e === entry ? { ...e, outcome: 'stopped' } : e)) });
  }

  /** The answer of a request, or why there is none. */
  async try<Data>(
    request: () => Promise<{ data?: Data; error?: Parameters<typeof told>[0]; response: Response }>,
  ): Promise<{ data: Data } | { failure: Failure }> {
    try {
      const { data, error, response } = await request();
      if (response.ok) return { data: data as Data };
      return { failure: this.noteFailure(told(error, response)) };
    } catch {
      return { failure: unreachable };
    }
  }

  /** What every failure means for the page, whichever request met it. */
  noteFailure(failure: Failure): Failure {
    if (failure.code === 'UNAUTHORIZED' && !page.demo) this.store.set({ tokenDialog: true });
    return failure;
  }
}

/** The session that the page's address names, so that a reload finds it again. */
function sessionInAddress(): string {
  return /^#\/sessions\/([0-9a-f-]{36})$/i.exec(location.hash)?.[1] ?? '';
}

function show(id: string): void {
  const hash = id ? `#/sessions/${id}` : '';
  if (location.hash !== hash) history.pushState(null, '', hash || location.pathname);
}

/** The history as it is shown: what follows a message of the user is one answer. */
function shown(messages: Message[]): Shown[] {
  const list: Shown[] = [];
  for (const message of messages) {
    const last = list.at(-1);
    if (message.role === 'user') list.push({ role: 'user', key: message.id, text: written(message), attachments: message.attachments ?? [] });
    else if (last?.role === 'assistant') last.parts = last.parts.concat(partsOf(message));
    else list.push({ role: 'assistant', key: message.id, state: 'whole', parts: partsOf(message) });
  }
  return list;
}
