import { announce, Sentences } from './announce';
import { applyEvent, hasContent } from './answer';
import type { Api } from './api';
import { connectionLost, failureOf, unreachable, type Failure } from './failure';
import { thinkingTime } from './format';
import type { Answer, UserMessage } from './state';
import { readEvents } from './stream';
import type { Attachment, StreamEvent } from './types';

/** A run in progress: a message that is sent and the answer that streams in. */
export class Run {
  /** Whether the server accepted the message; it is then in the history. */
  accepted = false;
  usesTools = false;
  /** The message's id in the history. */
  messageId = '';
  /** The run's id; empty before the response begins. */
  #id = '';
  #stopped = false;
  #stopFailure: Failure | undefined;
  readonly #message: UserMessage;
  readonly #answer: Answer = { role: 'assistant', key: crypto.randomUUID(), parts: [], state: 'streaming' };
  readonly #sentences = new Sentences();

  constructor(private readonly api: Api, private readonly session: string, text: string, attachments: Attachment[]) {
    this.#message = { role: 'user', key: crypto.randomUUID(), text, attachments };
  }

  /** The answer's key in the page's state. */
  get answerKey(): string { return this.#answer.key; }

  /** Sends the message and shows its answer until the run ends. */
  async execute(): Promise<void> {
    const abort = new AbortController();
    this.api.store.setThread(this.session, ({ messages }) => ({
      messages: [...messages, this.#message, this.#answer], stop: () => this.#stop(abort), failure: undefined, returned: undefined,
    }));
    announce('Sent. Waiting for the answer.');
    const failure = await this.#stream(abort.signal);
    if (this.#stopped) {
      this.accepted = true; // The server may have it; a reload shows.
      this.api.noteStopped(this.session);
      this.#finish('stopped', this.#stopFailure);
    } else if (!failure) this.#finish('complete');
    else if (this.accepted) this.#finish('failed', failure);
    else this.#withdraw(failure);
  }

  /** Cancels the run. The server keeps the part of the answer and ends the stream; closing the stream would not stop the run. */
  async #stop(abort: AbortController): Promise<void> {
    this.#stopped = true;
    const run_id = this.#id || await this.#activeRun();
    if (!run_id) return abort.abort();
    const result = await this.api.try(() => this.api.client.POST(
      '/api/v1/chatkit/sessions/{session_id}/threads/{thread_id}/runs/{run_id}/cancel',
      { params: { path: { session_id: this.session, thread_id: this.session, run_id } } },
    ));
    if ('data' in result) return;
    this.#stopFailure = result.failure;
    abort.abort();
  }

  /** Returns the id of the session's run in progress, which the server tells before the model answers. */
  async #activeRun(): Promise<string | undefined> {
    const result = await this.api.try(() => this.api.client.GET('/api/v1/chatkit/sessions/{session_id}', {
      params: { path: { session_id: this.session } },
    }));
    return 'data' in result ? result.data.data.active_run?.id : undefined;
  }

  async #stream(signal: AbortSignal): Promise<Failure | undefined> {
    try {
      const { error, response } = await this.#request(signal);
      // A run that has an id has saved its message, also when it failed.
      this.#id = response.headers.get('X-Run-Id') ?? '';
      this.accepted = this.#id !== '';
      if (!response.ok || !response.body) return this.api.noteFailure(failureOf(error, response));
      this.accepted = true;
      let failure: Failure | undefined;
      for await (const event of readEvents(response.body)) failure = this.#apply(event) ?? failure;
      return failure;
    } catch {
      return this.accepted ? connectionLost : unreachable;
    }
  }

  #request(signal: AbortSignal) {
    const { model } = this.api.store.state;
    const { text, attachments } = this.#message;
    const files = attachments.length > 0 ? { attachments: attachments.map(({ id }) => id) } : {};
    return this.api.client.POST('/api/v1/chatkit/sessions/{session_id}/threads/{thread_id}/runs', {
      // A session has one thread, and it has the session's id.
      params: { path: { session_id: this.session, thread_id: this.session } },
      body: { message: { role: 'user', content: [{ type: 'input_text', text }], ...files }, ...(model ? { model } : {}) },
      parseAs: 'stream', signal,
    });
  }

  #apply(event: StreamEvent): Failure | undefined {
    this.#announce(event);
    this.api.store.setAnswer(this.session, this.answerKey, ({ parts }) => ({ parts: applyEvent(parts, event) }));
    switch (event.type) {
      case 'thread.item.done':
        if (event.item.type === 'user_message') this.messageId = event.item.id;
        return undefined;
      case 'progress_update':
        this.usesTools = true;
        return undefined;
      case 'thread.updated':
        this.api.store.setSession(this.session, { title: event.thread.title ?? null });
        return undefined;
      case 'error':
        return {
          code: 'STREAM', title: 'The answer was interrupted', retryable: event.allow_retry,
          detail: event.message ?? 'The part that was received is kept.',
        };
      default:
        return undefined; // A later version may send events that this page does not know.
    }
  }

  /** Announces the answer by sentences, and of thoughts only that the model is thinking. */
  #announce(event: StreamEvent): void {
    switch (event.type) {
      case 'thread.item.added':
        if (event.item.type === 'workflow') announce('Thinking.');
        return;
      case 'thread.item.updated':
        if (event.update.type === 'assistant_message.content_part.text_delta') this.#sentences.push(event.update.delta);
        return;
      case 'thread.item.done':
        this.#sentences.flush();
        if (event.item.type === 'workflow') announce(`${thinkingTime(event.item.workflow.summary?.duration)}.`);
        return;
      case 'progress_update':
        announce(event.text);
    }
  }

  /** Ends the run; the part of the answer that was received stays. */
  #finish(state: Answer['state'], failure?: Failure): void {
    this.#sentences.flush();
    announce(this.#endAnnouncement(state));
    this.api.store.setAnswer(this.session, this.answerKey, () => ({ state }));
    this.api.store.setThread(this.session, ({ messages }) => ({
      messages: messages.filter((m) => m.role === 'user' || m.key !== this.answerKey || state === 'stopped' || hasContent(m.parts)),
      failure, stop: undefined,
    }));
    this.#moveSessionFirst();
  }

  /** What a screen reader says at the end. A notice is a status of its own, and a failure is an alert. */
  #endAnnouncement(state: Answer['state']): string {
    if (state === 'stopped') return 'Stopped.';
    const incomplete = this.#parts().some(({ kind }) => kind === 'notice');
    return state === 'complete' && !incomplete ? 'The answer is complete.' : '';
  }

  /** Takes a refused message out of the thread and returns its text to where it was written. */
  #withdraw(failure: Failure): void {
    this.api.store.setThread(this.session, ({ messages }) => ({
      messages: messages.filter(({ key }) => key !== this.#message.key && key !== this.answerKey),
      failure, returned: this.#message.text, stop: undefined,
    }));
  }

  /** Moves the session to the top of the list, where the server lists it too. */
  #moveSessionFirst(): void {
    const { sessions } = this.api.store.state;
    const session = sessions.find(({ id }) => id === this.session);
    if (!session) return;
    const answers = this.#parts().filter(({ kind }) => kind === 'text').length;
    const changed = { ...session, updated_at: new Date().toISOString(), message_count: session.message_count + 1 + answers };
    this.api.store.set({ sessions: [changed, ...sessions.filter((one) => one !== session)] });
  }

  #parts(): Answer['parts'] {
    const answer = this.api.store.state.threads[this.session]?.messages.find(({ key }) => key === this.answerKey);
    return answer?.role === 'assistant' ? answer.parts : [];
  }
}
