import type { StreamEvent } from './types';

/** The stream ended without [DONE], so the answer may be incomplete. */
export class IncompleteStream extends Error {}

/**
 * Reads the events of a run. Lines that begin with a colon are comments; the
 * last data line is [DONE].
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new IncompleteStream();
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('data: ')) continue;
      const data = line.slice('data: '.length);
      if (data === '[DONE]') return;
      yield JSON.parse(data) as StreamEvent;
    }
  }
}
