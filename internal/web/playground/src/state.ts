import { useLayoutEffect, useReducer } from 'preact/hooks';
import type { Part } from './answer';
import type { Entry } from './client';
import type { Failure } from './failure';
import type { Upload } from './files';
import type { Offer } from './offer';
import type { Attachment, SessionSummary } from './types';

/** A message of the user as it is shown. */
export interface Asked {
  role: 'user';
  key: string;
  text: string;
  attachments: Attachment[];
}

/** All that came of a message: often several messages of the history. */
export interface Answer {
  role: 'assistant';
  key: string;
  parts: Part[];
  state: 'whole' | 'coming' | 'stopped' | 'cut';
}

export type Shown = Asked | Answer;

/** A session's messages, as far as the page has them. */
export interface Thread {
  id: string;
  phase: 'loading' | 'ready' | 'failed';
  messages: Shown[];
  /** Set while a run is under way; it ends the run. */
  stop?: (() => void) | undefined;
  failure?: Failure | undefined;
  /** A message that was not taken, to be put back for another try. */
  returned?: string | undefined;
}

export interface State {
  ready: boolean;
  token: string;
  sessions: SessionSummary[];
  total: number;
  /** Where the next page of sessions begins. */
  after?: string | undefined;
  listed: 'no' | 'loading' | 'yes' | 'failed';
  listFailure?: Failure | undefined;
  /** The session that is open; empty for one that begins with its first message. */
  open: string;
  threads: Record<string, Thread>;
  entries: Entry[];
  tokenDialog: boolean;
  offer: Offer;
  /** The model that is asked; empty for the server's own choice. */
  model: string;
  /** The files of the message that is being written. */
  uploads: Upload[];
}

export const initial: State = {
  ready: false, token: '', sessions: [], total: 0, listed: 'no', open: '', threads: {}, entries: [], tokenDialog: false,
  offer: { models: [] }, model: '', uploads: [],
};

/** The page's state: replaced by parts, never changed in place. */
export class Store {
  state = initial;
  #watchers = new Set<() => void>();
  #told = true;

  set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    if (!this.#told) return;
    // Pieces of an answer come faster than a screen is drawn.
    this.#told = false;
    queueMicrotask(() => {
      this.#told = true;
      for (const watcher of this.#watchers) watcher();
    });
  }

  /** Changes one thread, if the page still has it. */
  setThread(id: string, change: (thread: Thread) => Partial<Thread>): void {
    const thread = this.state.threads[id];
    if (!thread) return;
    this.set({ threads: { ...this.state.threads, [id]: { ...thread, ...change(thread) } } });
  }

  /** Changes one answer of a thread. */
  setAnswer(id: string, key: string, change: (answer: Answer) => Partial<Answer>): void {
    this.setThread(id, ({ messages }) => ({
      messages: messages.map((m) => (m.role === 'assistant' && m.key === key ? { ...m, ...change(m) } : m)),
    }));
  }

  /** Changes one session of the list. */
  setSession(id: string, change: Partial<SessionSummary>): void {
    this.set({ sessions: this.state.sessions.map((s) => (s.id === id ? { ...s, ...change } : s)) });
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

/** The state, kept up to date in a component. */
export function useStore(store: Store): State {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  // Watching from the first drawing on: what changes right after it is seen too.
  useLayoutEffect(() => store.watch(() => draw(undefined)), [store]);
  return store.state;
}
