import { useEffect, useRef, useState } from 'preact/hooks';
import type { Desk } from './desk';
import { DeleteDialog } from './dialogs';
import { Icon } from './icons';
import { Notice } from './notice';
import type { State } from './state';
import { ThemeSwitch } from './theme';
import { page, subjectOf } from './token';
import type { SessionSummary } from './types';

interface Props {
  desk: Desk;
  state: State;
  /** Called after a choice: where the list lies over the messages it closes. */
  onChoice: () => void;
}

export function Sidebar({ desk, state, onChoice }: Props) {
  const [doomed, setDoomed] = useState<SessionSummary>();
  const begin = useRef<HTMLButtonElement>(null);
  const deleting = useRef(false);
  const isOpen = useRef(false);
  const choose = (id: string) => {
    void desk.open(id);
    onChoice();
  };
  const doom = (session: SessionSummary) => {
    isOpen.current = session.id === state.open;
    setDoomed(session);
  };
  const deleted = (gone: boolean) => {
    deleting.current = gone;
    setDoomed(undefined);
  };
  useEffect(() => {
    if (doomed || !deleting.current) return;
    deleting.current = false;
    // The button that had the focus is gone or goes. The message could not take the focus while the dialog stood.
    const message = isOpen.current && matchMedia('(pointer: fine)').matches ? document.getElementById('message') : null;
    (message ?? begin.current)?.focus();
  }, [doomed]);
  return (
    <>
      <p class="brand"><img src="/icon.svg" alt="" width="24" height="24" />ChatKit REST{page.demo && <span class="tag">demo</span>}</p>
      <button ref={begin} type="button" class="new" disabled={!state.token} onClick={() => choose('')}>
        <Icon name="plus" />New session
      </button>
      <h2 class="visually-hidden">Sessions</h2>
      <div class="list">
        <List state={state} choose={choose} doom={doom} />
        {state.listed === 'failed' && state.listFailure && (
          <Notice failure={state.listFailure} actions={[{ label: 'Try again', act: () => void desk.list() }]} />
        )}
        {state.after && (
          <button type="button" class="plain" onClick={() => void desk.list(true)}>More sessions</button>
        )}
      </div>
      <footer>
        <button type="button" class="quiet account" onClick={() => desk.askForToken()}>
          <Icon name="key" />
          <span class="account-name">{state.token ? subjectOf(state.token) || 'Token' : 'No token'}</span>
        </button>
        <a href="/docs">API</a>
        <ThemeSwitch />
      </footer>
      {doomed && <DeleteDialog desk={desk} session={doomed} onDone={deleted} />}
    </>
  );
}

interface ListProps {
  state: State;
  choose: (id: string) => void;
  doom: (session: SessionSummary) => void;
}

function List({ state, choose, doom }: ListProps) {
  if (state.listed === 'yes' && state.sessions.length === 0) {
    return <p class="muted small empty">Sessions appear here once you have written something.</p>;
  }
  return (
    <ul>
      {state.sessions.map((session) => {
        const title = session.title ?? 'Untitled session';
        return (
          <li key={session.id}>
            <button
              type="button" class="session" aria-current={session.id === state.open ? 'true' : undefined}
              onClick={() => choose(session.id)}
            >
              <span class="session-title">{title}</span>
              <span class="session-note">{noteOf(session, state)}</span>
            </button>
            <button
              type="button" class="quiet square delete" aria-label={`Delete session: ${title}`} title="Delete"
              onClick={() => doom(session)}
            >
              <Icon name="trash" />
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function noteOf(session: SessionSummary, state: State): string {
  if (state.threads[session.id]?.stop) return 'Answering…';
  const count = session.message_count === 1 ? '1 message' : `${session.message_count} messages`;
  return `${count} · ${when(new Date(session.updated_at))}`;
}

function when(time: Date): string {
  const today = time.toDateString() === new Date().toDateString();
  return today
    ? time.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
    : time.toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
}
