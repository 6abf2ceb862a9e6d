import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { AttachButton } from './attach';
import type { Desk } from './desk';
import { Icon, StopIcon } from './icons';
import { ModelChoice } from './model';
import type { State } from './state';
import { page } from './token';
import { Uploads } from './uploads';

/** How near to the limit the count is shown. */
const warnAt = 0.8;

/** Where a message is written; another session empties it. */
export function Composer({ desk, state }: { desk: Desk; state: State }) {
  const { open: id, uploads, offer } = state;
  const thread = state.threads[id];
  const disabled = !state.token;
  const stop = thread?.stop;
  const returned = thread?.returned;
  const [text, setText] = useState('');
  const box = useRef<HTMLTextAreaElement>(null);
  // Before the page is drawn: a message that comes back stands there with the reason.
  useLayoutEffect(() => setText(''), [id]);
  useLayoutEffect(() => { if (returned !== undefined) setText(returned); }, [id, returned]);
  useEffect(() => {
    // On a touch screen the focus would bring the keyboard over the messages.
    if (!disabled && matchMedia('(pointer: fine)').matches) box.current?.focus();
  }, [id, disabled]);
  useLayoutEffect(() => {
    // It grows with its text; the style sheet bounds it.
    const element = box.current;
    if (!element) return;
    element.rows = 1;
    const line = parseFloat(getComputedStyle(element).lineHeight);
    element.rows = Math.min(8, Math.max(1, Math.round((element.scrollHeight - 24) / line)));
  }, [text]);

  const count = [...text].length;
  const tooLong = count > page.messageChars;
  const empty = text.trim() === '' && !uploads.some((one) => one.state === 'ready');
  const uploading = uploads.some((one) => one.state === 'sending');
  const mayNot = disabled || empty || tooLong || uploading;
  const send = () => {
    if (mayNot || stop) return;
    void desk.send(text, desk.files.take());
    setText('');
    box.current?.focus();
  };
  const halt = () => {
    stop?.();
    box.current?.focus();
  };
  const attach = (files: Iterable<File>) => {
    desk.files.add(files);
    box.current?.focus();
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === 'Escape' && stop) {
      halt();
    }
  };
  const paste = (event: ClipboardEvent) => {
    const data = event.clipboardData;
    // Cells of a table come as a picture too; it is their text that is meant.
    if (!offer.files || !data?.files.length || data.types.includes('text/plain')) return;
    event.preventDefault();
    desk.files.add(data.files);
  };
  return (
    <form class="composer" onSubmit={(event) => { event.preventDefault(); send(); }}>
      <label for="message" class="visually-hidden">Message</label>
      <div class="composer-box">
        {uploads.length > 0 && <Uploads files={desk.files} uploads={uploads} />}
        <div class="composer-row">
          {offer.files && <AttachButton types={offer.files.types} disabled={disabled} attach={attach} />}
          <textarea
            ref={box} id="message" rows={1} value={text} disabled={disabled} placeholder="Write a message"
            aria-describedby="composer-note" aria-invalid={tooLong}
            onInput={(e) => setText(e.currentTarget.value)} onKeyDown={key} onPaste={paste}
          />
          {stop
            ? <button type="button" class="round" aria-label="Stop the answer" title="Stop (Esc)" onClick={halt}><StopIcon /></button>
            : <button type="submit" class="round" aria-label="Send" title="Send (Enter)" disabled={mayNot}><Icon name="send" /></button>}
        </div>
      </div>
      <div class="composer-note">
        <p id="composer-note">
          <span class="hint">{hintOf(uploading, stop !== undefined)}</span>
          {count > page.messageChars * warnAt && (
            <span class={tooLong ? 'too-long' : ''}>
              {tooLong ? `${count - page.messageChars} characters too many` : `${page.messageChars - count} characters left`}
            </span>
          )}
        </p>
        {offer.models.length > 1 && <ModelChoice models={offer.models} chosen={state.model} choose={(model) => desk.chooseModel(model)} />}
      </div>
    </form>
  );
}

function hintOf(uploading: boolean, answering: boolean): string {
  if (uploading) return 'You can send once the files are uploaded.';
  return `Enter sends, Shift+Enter makes a line${answering ? ', Esc stops the answer' : ''}.`;
}
