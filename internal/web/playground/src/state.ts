import { useLayoutEffect, useReducer } from 'preact/hooks';
import type { Entry } from './client';
import type { Failure } from './failure';
import type { SessionSummary, ToolCall } from './types';

/** A message as it is shown. */
export interface Shown {
  key: string;
  role: 'user' | 'assistant';
  text: string;
  tools: ToolCall[];
  state: 'whole' | 'coming' | 'stopped' | 'cut';
}

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
}

export const initial: State = {
  ready: false, token: '', sessions: [], total: 0, listed: 'no', open: '', threads: {}, entries: [], tokenDialog: false,
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
