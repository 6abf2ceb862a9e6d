import { useLayoutEffect, useReducer } from 'preact/hooks';
import type { Part } from './answer';
import type { Entry } from './client';
import type { Failure } from './failure';
import type { Capabilities } from './capabilities';
import type { Attachment, SessionSummary } from './types';

/** A message of the user, as shown. */
export interface UserMessage {
  role: 'user';
  key: string;
  text: string;
  attachments: Attachment[];
}

/** Everything that answers one message: often several messages of the history. */
export interface Answer {
  role: 'assistant';
  key: string;
  parts: Part[];
  state: 'complete' | 'streaming' | 'stopped' | 'failed';
}

export type ShownMessage = UserMessage | Answer;

/** A file that goes with the next message. */
export interface Upload {
  key: string;
  file: File;
  state: 'uploading' | 'ready' | 'failed';
  /** Set once the server has created it. */
  attachment?: Attachment;
  failure?: Failure;
}

/** A session's messages, once they are loaded. */
export interface Thread {
  id: string;
  phase: 'loading' | 'ready' | 'failed';
  messages: ShownMessage[];
  /** Stops the run in progress, if there is one. */
  stop?: (() => Promise<void>) | undefined;
  failure?: Failure | undefined;
  /** The text of a refused message, which the composer shows again. */
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
  /** The open session's id; empty before a new session's first message. */
  open: string;
  threads: Record<string, Thread>;
  entries: Entry[];
  tokenDialog: boolean;
  capabilities: Capabilities;
  /** The chosen model; empty for the server's default. */
  model: string;
  /** The files of the message that is being written. */
  uploads: Upload[];
}

export const initial: State = {
  ready: false, token: '', sessions: [], total: 0, listed: 'no', open: '', threads: {}, entries: [], tokenDialog: false,
  capabilities: { models: [] }, model: '', uploads: [],
};

/** The page's state. Changes replace parts of it and never mutate them. */
export class Store {
  state = initial;
  #watchers = new Set<() => void>();
  #notified = true;

  set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    if (!this.#notified) return;
    // Deltas arrive faster than the screen is drawn: one notification serves several.
    this.#notified = false;
    queueMicrotask(() => {
      this.#notified = true;
      for (const watcher of this.#watchers) watcher();
    });
  }

  /** Changes one thread, if it is still loaded. */
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

/** Returns the state and redraws the component when it changes. */
export function useStore(store: Store): State {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  // A layout effect, so that a change right after the first drawing is not missed.
  useLayoutEffect(() => store.watch(() => draw(undefined)), [store]);
  return store.state;
}
