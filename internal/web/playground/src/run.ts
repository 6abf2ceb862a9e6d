import { announce, Sentences } from './announce';
import { after, hasContent } from './answer';
import type { Desk } from './desk';
import { cut, told, unreachable, type Failure } from './failure';
import type { Upload } from './files';
import { thoughtFor } from './message';
import type { Answer, Asked } from './state';
import { readEvents } from './stream';
import type { StreamEvent } from './types';

/** Sends a message and follows its run to the end. */
export async function follow(desk: Desk, id: string, text: string, uploads: Upload[]): Promise<void> {
  const abort = new AbortController();
  const asked: Asked = { role: 'user', key: crypto.randomUUID(), text, attachments: uploads.flatMap(({ attachment }) => attachment ?? []) };
  const coming: Answer = { role: 'assistant', key: crypto.randomUUID(), parts: [], state: 'coming' };
  desk.dismiss(id);
  desk.store.setThread(id, ({ messages }) => ({
    messages: [...messages, asked, coming], stop: () => abort.abort(),
  }));
  announce('Sent. The answer is on its way.');
  const run = new Run(desk, id, coming.key);
  const failure = await run.go(asked, abort.signal);
  if (abort.signal.aborted) {
    desk.noteStopped(id);
    run.end('stopped');
    return;
  }
  if (!failure) run.end('whole');
  else if (run.begun) run.end('cut', failure);
  else {
    run.undo(asked, failure);
    desk.giveBack(id, uploads);
  }
  if (run.usesTools) await desk.showCalls(id, run.asked, coming.key);
}

/** A run under way, as the page sees it. */
class Run {
  /** Whether the message is in the history. */
  begun = false;
  usesTools = false;
  /** The message's id in the history. */
  asked = '';
  readonly #sentences = new Sentences();

  constructor(private readonly desk: Desk, private readonly id: string, private readonly answer: string) {}

  async go({ text, attachments }: Asked, signal: AbortSignal): Promise<Failure | undefined> {
    const { model } = this.desk.store.state;
    const files = attachments.length > 0 ? { attachments: attachments.map(({ id }) => id) } : {};
    try {
      const { error, response } = await this.desk.client.POST(
        '/api/v1/chatkit/sessions/{session_id}/threads/{thread_id}/runs',
        {
          // A session has one thread, and it has the session's id.
          params: { path: { session_id: this.id, thread_id: this.id } },
          body: { message: { role: 'user', content: [{ type: 'input_text', text }], ...files }, ...(model ? { model } : {}) },
          parseAs: 'stream', signal,
        },
      );
      if (!response.ok || !response.body) {
        const failure = this.desk.noteFailure(told(error, response));
        // The message is saved before there is a run to name.
        this.begun = response.headers.has('X-Run-Id');
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
    this.#tell(event);
    this.desk.store.setAnswer(this.id, this.answer, ({ parts }) => ({ parts: after(parts, event) }));
    switch (event.type) {
      case 'thread.item.done':
        if (event.item.type === 'user_message') this.asked = event.item.id;
        return undefined;
      case 'progress_update':
        this.usesTools = true;
        return undefined;
      case 'thread.updated':
        this.desk.store.setSession(this.id, { title: event.thread.title ?? null });
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

  /** What a screen reader is told: the answer, and of thoughts only that they are there. */
  #tell(event: StreamEvent): void {
    switch (event.type) {
      case 'thread.item.added':
        if (event.item.type === 'workflow') announce('Thinking.');
        return;
      case 'thread.item.updated':
        if (event.update.type === 'assistant_message.content_part.text_delta') this.#sentences.push(event.update.delta);
        return;
      case 'thread.item.done':
        this.#sentences.flush();
        if (event.item.type === 'workflow') announce(`${thoughtFor(event.item.workflow.summary?.duration)}.`);
        return;
      case 'progress_update':
        announce(event.text);
    }
  }

  /** The run is over; what had come stays. */
  end(state: Answer['state'], failure?: Failure): void {
    this.#sentences.flush();
    announce(state === 'whole' ? 'The answer is complete.' : state === 'stopped' ? 'Stopped.' : '');
    this.desk.store.setAnswer(this.id, this.answer, () => ({ state }));
    this.desk.store.setThread(this.id, ({ messages }) => ({
      messages: messages.filter((m) => m.role === 'user' || m.key !== this.answer || state === 'stopped' || hasContent(m.parts)),
      failure, stop: undefined,
    }));
    this.#touch();
  }

  /** The message was not taken: it goes back to where it was written. */
  undo(asked: Asked, failure: Failure): void {
    this.desk.store.setThread(this.id, ({ messages }) => ({
      messages: messages.filter((m) => m.key !== asked.key && m.key !== this.answer),
      failure, returned: asked.text, stop: undefined,
    }));
  }

  /** The session that changed last stands first, as the server lists it. */
  #touch(): void {
    const { sessions, threads } = this.desk.store.state;
    const answer = threads[this.id]?.messages.find(({ key }) => key === this.answer);
    const written = answer?.role === 'assistant' ? answer.parts.filter(({ kind }) => kind === 'text').length : 0;
    const one = sessions.find((s) => s.id === this.id);
    if (!one) return;
    const changed = { ...one, updated_at: new Date().toISOString(), message_count: one.message_count + 1 + written };
    this.desk.store.set({ sessions: [changed, ...sessions.filter((s) => s !== one)] });
  }
}
