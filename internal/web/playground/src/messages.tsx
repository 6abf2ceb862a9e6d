import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Controller } from './controller';
import type { Failure } from './failure';
import { MessageView } from './message';
import { FailureBox, type FailureAction } from './failure-box';
import type { State, Thread } from './state';
import { page } from './token';

/** How many pixels from the end still count as being at the end. */
const nearEnd = 48;

export function Messages({ controller, state }: { controller: Controller; state: State }) {
  const thread = state.threads[state.open];
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const toEnd = () => box.current?.scrollTo({ top: box.current.scrollHeight });
  useEffect(() => setAtEnd(true), [state.open]);
  useLayoutEffect(() => { if (atEnd) toEnd(); });
  // A narrower window wraps the text into more lines, below what is visible.
  useEffect(() => {
    const observer = new ResizeObserver(() => { if (atEnd) toEnd(); });
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, [atEnd]);
  const scrolled = () => {
    const element = box.current;
    if (element) setAtEnd(element.scrollHeight - element.scrollTop - element.clientHeight < nearEnd);
  };
  const empty = state.token !== '' && (thread?.messages.length ?? 0) === 0 && thread?.phase !== 'loading';
  return (
    <div class="messages-frame">
      <div ref={box} class="messages" role="region" aria-label="Messages" tabIndex={0} onScroll={scrolled}>
        <div class="column">
          {empty && !thread?.failure && <Welcome onPick={(text) => void controller.send(text)} />}
          {thread?.phase === 'loading' && <p class="muted waiting">Opening…</p>}
          {thread?.messages.map((message) => <MessageView key={message.key} message={message} download={(one) => void controller.download(one)} />)}
          {thread?.failure && <FailureBox failure={thread.failure} actions={actionsFor(controller, thread, thread.failure)} />}
        </div>
      </div>
      {!atEnd && <button type="button" class="to-end" onClick={toEnd}>Scroll to the end</button>}
    </div>
  );
}

function actionsFor(controller: Controller, thread: Thread, failure: Failure): FailureAction[] {
  if (failure.code === 'UNAUTHORIZED') {
    return page.demo
      ? [{ label: 'Get a new token', act: () => void controller.useDemoToken() }]
      : [{ label: 'Change the token', act: () => controller.askForToken() }];
  }
  if (thread.phase === 'failed') return [{ label: 'Try again', act: () => void controller.open(thread.id) }];
  const last = thread.messages.findLast((message) => message.role === 'user');
  if (failure.retryable && last?.text.trim()) return [{ label: 'Send it again', act: () => void controller.send(last.text) }];
  return [{ label: 'Close', act: () => controller.dismiss(thread.id) }];
}

const suggestions = page.demo
  ? ['What can you do?', 'Show me some code', 'Make a list of tea, milk and bread', 'What is 6 times 7?']
  : ['What is a UUID?', 'Explain server-sent events in two sentences.'];

function Welcome({ onPick }: { onPick: (text: string) => void }) {
  return (
    <div class="welcome">
      <p class="welcome-title">What would you like to ask?</p>
      <p class="muted">
        {page.demo
          ? 'This is a demo: scripted answers, no model. Every request of this page is shown as code that you can copy.'
          : 'Every request of this page is shown as code that you can copy.'}
      </p>
      <ul class="suggestions">
        {suggestions.map((text) => <li key={text}><button type="button" class="plain" onClick={() => onPick(text)}>{text}</button></li>)}
      </ul>
    </div>
  );
}
