import { announce, Sentences } from './announce';
import type { Desk } from './desk';
import { cut, told, unreachable, type Failure } from './failure';
import type { Shown } from './state';
import { readEvents } from './stream';
import type { StreamEvent } from './types';

/** Sends a message and follows its run to the end. */
export async function follow(desk: Desk, id: string, text: string): Promise<void> {
  const abort = new AbortController();
  const asked: Shown = { key: crypto.randomUUID(), role: 'user', text, tools: [], state: 'whole' };
  const coming: Shown = { key: crypto.randomUUID(), role: 'assistant', text: '', tools: [], state: 'coming' };
  desk.dismiss(id);
  desk.store.setThread(id, ({ messages }) => ({
    messages: [...messages, asked, coming], stop: () => abort.abort(),
  }));
  announce('Sent. The answer is on its way.');
  const run = new Run(desk, id, coming.key);
  const failure = await run.go(text, abort.signal);
  if (abort.signal.aborted) {
    desk.noteStopped(id);
    run.end('stopped');
  } else if (!failure) run.end('whole');
  else if (run.begun) run.end('cut', failure);
  else run.undo(asked, failure);
}

/** A run under way, as the page sees it. */
class Run {
  /** Whether the message is in the history. */
  begun = false;
  readonly #sentences = new Sentences();

  constructor(private readonly desk: Desk, private readonly id: string, private readonly answer: string) {}

  async go(text: string, signal: AbortSignal): Promise<Failure | undefined> {
    try {
      const { error, response } = await this.desk.client.POST(
        '/api/v1/chatkit/sessions/{session_id}/threads/{thread_id}/runs',
        {
          // A session has one thread, and it has the session's id.
          params: { path: { session_id: this.id, thread_id: this.id } },
          body: { message: { role: 'user', content: [{ type: 'input_text', text }] } },
          parseAs: 'stream', signal,
        },
      );
      if (!response.ok || !response.body) {
        const failure = this.desk.noteFailure(told(error, response));
        // The message is saved before the model is asked.
        this.begun = failure.code === 'UPSTREAM_ERROR';
        return failure;
      }
      this.begun = true;
      let failure: Failure | undefined;
      for await (const event of readEvents(response.body)) failure = this.#take(event) ?? failure;
      return failure;
    } catch {
      return this.begun ? cut : unreachable;
    }
  }

  #take(event: StreamEvent): Failure | undefined {
    switch (event.type) {
      case 'thread.item.updated':
        if (event.update.type === 'assistant_message.content_part.text_delta') this.#append(event.update.delta);
        return undefined;
      case 'thread.item.done':
        if (event.item.type === 'assistant_message') {
          const whole = event.item.content.map(({ text }) => text).join('\n');
          this.#change(() => ({ text: whole }));
        }
        return undefined;
      case 'thread.updated':
        this.#retitle(event.thread.title ?? null);
        return undefined;
      case 'error':
        return {
          code: 'STREAM', title: 'The answer broke off', again: event.allow_retry,
          detail: event.message ?? 'What had come of it is kept.',
        };
      default:
        return undefined; // Events of a later version do no harm.
    }
  }

  #append(delta: string): void {
    this.#sentences.push(delta);
    this.#change(({ text }) => ({ text: text + delta }));
  }

  #change(change: (answer: Shown) => Partial<Shown>): void {
    this.desk.store.setThread(this.id, ({ messages }) => ({
      messages: messages.map((m) => (m.key === this.answer ? { ...m, ...change(m) } : m)),
    }));
  }

  #retitle(title: string | null): void {
    const { sessions } = this.desk.store.state;
    this.desk.store.set({ sessions: sessions.map((s) => (s.id === this.id ? { ...s, title } : s)) });
  }

  /** The run is over; what had come stays. */
  end(state: Shown['state'], failure?: Failure): void {
    this.#sentences.flush();
    announce(state === 'whole' ? 'The answer is complete.' : state === 'stopped' ? 'Stopped.' : '');
    this.#change(() => ({ state }));
    this.desk.store.setThread(this.id, ({ messages }) => ({
      messages: messages.filter((m) => m.key !== this.answer || m.text !== '' || state === 'stopped'),
      failure, stop: undefined,
    }));
    this.#touch();
  }

  /** The message was not taken: it goes back to where it was written. */
  undo(asked: Shown, failure: Failure): void {
    this.desk.store.setThread(this.id, ({ messages }) => ({
      messages: messages.filter((m) => m.key !== asked.key && m.key !== this.answer),
      failure, returned: asked.text, stop: undefined,
    }));
  }

  /** The session that changed last stands first, as the server lists it. */
  #touch(): void {
    const { sessions, threads } = this.desk.store.state;
    const one = sessions.find((s) => s.id === this.id);
    if (!one) return;
    const changed = { ...one, updated_at: new Date().toISOString(), message_count: threads[this.id]?.messages.length ?? 0 };
    this.desk.store.set({ sessions: [changed, ...sessions.filter((s) => s !== one)] });
  }
}
