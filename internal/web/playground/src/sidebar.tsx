import { useEffect, useRef, useState } from 'preact/hooks';
import type { Controller } from './controller';
import { DeleteDialog } from './dialogs';
import { Icon } from './icons';
import { FailureBox } from './failure-box';
import type { State } from './state';
import { ThemeSwitch } from './theme';
import { page, subjectOf } from './token';
import type { SessionSummary } from './types';

interface Props {
  controller: Controller;
  state: State;
  /** Called after a session is chosen, so that a drawer closes. */
  onChoice: () => void;
}

export function Sidebar({ controller, state, onChoice }: Props) {
  const [toDelete, setToDelete] = useState<SessionSummary>();
  const begin = useRef<HTMLButtonElement>(null);
  const deleting = useRef(false);
  const isOpen = useRef(false);
  const choose = (id: string) => {
    void controller.open(id);
    onChoice();
  };
  const askToDelete = (session: SessionSummary) => {
    isOpen.current = session.id === state.open;
    setToDelete(session);
  };
  const closeDialog = (deleted: boolean) => {
    deleting.current = deleted;
    setToDelete(undefined);
  };
  useEffect(() => {
    if (toDelete || !deleting.current) return;
    deleting.current = false;
    // The focused button was deleted with its session. While the dialog was open, the message could not take the focus.
    const message = isOpen.current && matchMedia('(pointer: fine)').matches ? document.getElementById('message') : null;
    (message ?? begin.current)?.focus();
  }, [toDelete]);
  return (
    <>
      <p class="brand"><img src="/icon.svg" alt="" width="24" height="24" />ChatKit REST{page.demo && <span class="tag">demo</span>}</p>
      <button ref={begin} type="button" class="new" disabled={!state.token} onClick={() => choose('')}>
        <Icon name="plus" />New session
      </button>
      <h2 class="visually-hidden">Sessions</h2>
      <div class="list">
        <List state={state} choose={choose} askToDelete={askToDelete} />
        {state.listed === 'failed' && state.listFailure && (
          <FailureBox failure={state.listFailure} actions={[{ label: 'Try again', act: () => void controller.list() }]} />
        )}
        {state.after && (
          <button type="button" class="plain" onClick={() => void controller.list(true)}>More sessions</button>
        )}
      </div>
      <footer>
        <button type="button" class="quiet account" onClick={() => controller.askForToken()}>
          <Icon name="key" />
          <span class="account-name">{state.token ? subjectOf(state.token) || 'Token' : 'No token'}</span>
        </button>
        <a href="/docs">API</a>
        <ThemeSwitch />
      </footer>
      {toDelete && <DeleteDialog controller={controller} session={toDelete} onDone={closeDialog} />}
    </>
  );
}

interface ListProps {
  state: State;
  choose: (id: string) => void;
  askToDelete: (session: SessionSummary) => void;
}

function List({ state, choose, askToDelete }: ListProps) {
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
              onClick={() => askToDelete(session)}
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
