import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { CopyButton } from './code-block';
import type { Controller } from './controller';
import { noToken, type Failure } from './failure';
import { FailureBox } from './failure-box';
import { mayBeToken, page, subjectOf, tokenIn } from './token';
import type { SessionSummary } from './types';

interface DialogProps {
  label: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** A native dialog, which traps the focus and restores it. */
function Dialog({ label, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={element} aria-labelledby="dialog-title" onCancel={(event) => { event.preventDefault(); onClose(); }}>
      <h2 id="dialog-title">{label}</h2>
      {children}
    </dialog>
  );
}

export function TokenDialog({ controller, token }: { controller: Controller; token: string }) {
  const [text, setText] = useState('');
  const [refused, setRefused] = useState(false);
  const clean = tokenIn(text);
  const submit = (event: Event) => {
    event.preventDefault();
    if (mayBeToken(clean)) void controller.useToken(clean);
    else setRefused(true);
  };
  return (
    <Dialog label="Your token" onClose={() => controller.closeTokenDialog()}>
      <form onSubmit={submit}>
        <p class="muted">
          {token ? <>In use: a token for <strong>{subjectOf(token) || 'an unknown user'}</strong>. </> : null}
          A JWT that your backend signed. For development, <code>make token</code> prints one.
        </p>
        <label for="token">Token</label>
        <textarea
          id="token" rows={4} value={text} spellcheck={false} autocomplete="off" autocapitalize="off"
          aria-describedby="token-note" aria-invalid={refused} placeholder="eyJhbGciOi…"
          onInput={(e) => { setText(e.currentTarget.value); setRefused(false); }}
        />
        {refused && <FailureBox failure={noToken} actions={[]} />}
        <p id="token-note" class="muted small">The token is kept in this tab until you close it.</p>
        <div class="dialog-actions">
          {page.demo && <button type="button" class="plain" onClick={() => void controller.useDemoToken()}>Use the demo’s token</button>}
          {token && <CopyButton text={token} what="token" />}
          <span class="grow" />
          <button type="button" class="plain" onClick={() => controller.closeTokenDialog()}>Cancel</button>
          <button type="submit" class="primary" disabled={!clean}>Use this token</button>
        </div>
      </form>
    </Dialog>
  );
}

interface DeleteProps {
  controller: Controller;
  session: SessionSummary;
  onDone: (deleted: boolean) => void;
}

export function DeleteDialog({ controller, session, onDone }: DeleteProps) {
  const [failure, setFailure] = useState<Failure>();
  const [busy, setBusy] = useState(false);
  const confirm = async () => {
    setBusy(true);
    const failed = await controller.remove(session.id);
    setBusy(false);
    if (failed) setFailure(failed);
    else onDone(true);
  };
  return (
    <Dialog label="Delete this session?" onClose={() => onDone(false)}>
      <p>“{session.title ?? 'Untitled session'}” and its messages are deleted permanently.</p>
      {failure && <FailureBox failure={failure} actions={[]} />}
      <div class="dialog-actions">
        <span class="grow" />
        <button type="button" class="plain" onClick={() => onDone(false)}>Keep it</button>
        <button type="button" class="danger" disabled={busy} onClick={() => void confirm()}>Delete</button>
      </div>
    </Dialog>
  );
}
