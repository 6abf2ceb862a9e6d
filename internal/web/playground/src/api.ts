import { newClient, type Client, type Entry } from './client';
import { failureOf, unreachable, type Failure } from './failure';
import type { Store } from './state';
import { demoToken, isDemoToken, page } from './token';
import type { ErrorResponse } from './types';

const mostEntries = 12;

/** Requests to the server, and what each of them changes in the page's state. */
export class Api {
  readonly client: Client;

  constructor(readonly store: Store) {
    this.client = newClient({
      token: () => store.state.token,
      renew: () => this.#renew(),
      onEntry: (entry) => this.#list(entry),
    });
  }

  /** Sends a request and returns the data of its answer, or why there is none. */
  async try<Data>(
    request: () => Promise<{ data?: Data; error?: ErrorResponse; response: Response }>,
  ): Promise<{ data: Data } | { failure: Failure }> {
    try {
      const { data, error, response } = await request();
      if (response.ok) return { data: data as Data };
      return { failure: this.noteFailure(failureOf(error, response)) };
    } catch {
      return { failure: unreachable };
    }
  }

  /** Does what a failure asks of the page, whichever request failed: a refused token opens the token dialog. */
  noteFailure(failure: Failure): Failure {
    if (failure.code === 'UNAUTHORIZED' && !page.demo) this.store.set({ tokenDialog: true });
    return failure;
  }

  /** Marks the newest run of a session as stopped in the list of requests. */
  noteStopped(session: string): void {
    const entry = this.store.state.entries.find(({ streams, url }) => streams && url.includes(session));
    if (entry) this.store.set({ entries: this.store.state.entries.map((e) => (e === entry ? { ...e, outcome: 'stopped' } : e)) });
  }

  /** A demo server that restarts has a new secret, so the page fetches a new token without asking the user. */
  async #renew(): Promise<string> {
    const token = isDemoToken() ? await demoToken() : '';
    if (token) this.store.set({ token });
    return token;
  }

  #list(entry: Entry): void {
    const others = this.store.state.entries.filter(({ id }) => id !== entry.id);
    this.store.set({ entries: [entry, ...others].slice(0, mostEntries) });
  }
}
