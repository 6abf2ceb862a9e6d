import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Desk } from './desk';
import type { Failure } from './failure';
import { OneMessage } from './message';
import { Notice, type NoticeAction } from './notice';
import type { State, Thread } from './state';
import { page } from './token';

/** How far from the end still counts as reading its newest words. */
const nearEnd = 48;

export function Messages({ desk, state }: { desk: Desk; state: State }) {
  const thread = state.threads[state.open];
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const toEnd = () => box.current?.scrollTo({ top: box.current.scrollHeight });
  useEffect(() => setAtEnd(true), [state.open]);
  useLayoutEffect(() => { if (atEnd) toEnd(); });
  const scrolled = () => {
    const element = box.current;
    if (element) setAtEnd(element.scrollHeight - element.scrollTop - element.clientHeight < nearEnd);
  };
  const empty = state.token !== '' && (thread?.messages.length ?? 0) === 0 && thread?.phase !== 'loading';
  return (
    <div class="messages-frame">
      <div ref={box} class="messages" role="region" aria-label="Messages" tabIndex={0} onScroll={scrolled}>
        <div class="column">
          {empty && !thread?.failure && <Welcome onPick={(text) => void desk.send(text)} />}
          {thread?.phase === 'loading' && <p class="muted waiting">Opening…</p>}
          {thread?.messages.map((message) => <OneMessage key={message.key} message={message} download={(one) => void desk.download(one)} />)}
          {thread?.failure && <Notice failure={thread.failure} actions={actionsFor(desk, thread, thread.failure)} />}
        </div>
      </div>
      {!atEnd && <button type="button" class="to-end" onClick={toEnd}>To the newest words</button>}
    </div>
  );
}

function actionsFor(desk: Desk, thread: Thread, failure: Failure): NoticeAction[] {
  if (failure.code === 'UNAUTHORIZED') {
    return page.demo
      ? [{ label: 'Get a new token', act: () => void desk.useDemoToken() }]
      : [{ label: 'Change the token', act: () => desk.askForToken() }];
  }
  if (thread.phase === 'failed') return [{ label: 'Try again', act: () => void desk.open(thread.id) }];
  const last = thread.messages.findLast((message) => message.role === 'user');
  if (failure.again && last?.text.trim()) return [{ label: 'Send it again', act: () => void desk.send(last.text) }];
  return [{ label: 'Close', act: () => desk.dismiss(thread.id) }];
}

const tries = page.demo
  ? ['What can you do?', 'Show me some code', 'Make a list of tea, milk and bread', 'What is 6 times 7?']
  : ['What is a UUID?', 'Explain server-sent events in two sentences.'];

function Welcome({ onPick }: { onPick: (text: string) => void }) {
  return (
    <div class="welcome">
      <p class="welcome-title">What would you like to ask?</p>
      <p class="muted">
        {page.demo
          ? 'This is the demo: a stand-in answers, no model does. Every request you make here is shown as code that you can take with you.'
          : 'Every request you make here is shown as code that you can take with you.'}
      </p>
      <ul class="tries">
        {tries.map((text) => <li key={text}><button type="button" class="plain" onClick={() => onPick(text)}>{text}</button></li>)}
      </ul>
    </div>
  );
}
