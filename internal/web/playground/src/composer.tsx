import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { AttachButton } from './attach-button';
import type { Controller } from './controller';
import { Icon, StopIcon } from './icons';
import { ModelChoice } from './model-choice';
import type { State } from './state';
import { page } from './token';
import { Uploads } from './uploads';

/** The share of the limit from which on the count is shown. */
const warnAt = 0.8;

/** The form in which a message is written. Opening another session empties it. */
export function Composer({ controller, state }: { controller: Controller; state: State }) {
  const { open: id, uploads, capabilities } = state;
  const thread = state.threads[id];
  const disabled = !state.token;
  const stop = thread?.stop;
  const returned = thread?.returned;
  const [text, setText] = useState('');
  const box = useRef<HTMLTextAreaElement>(null);
  // Layout effects, so that a refused message and its failure appear together.
  useLayoutEffect(() => setText(''), [id]);
  useLayoutEffect(() => { if (returned !== undefined) setText(returned); }, [id, returned]);
  useEffect(() => {
    // On a touch screen the focus would open the keyboard over the messages.
    if (!disabled && matchMedia('(pointer: fine)').matches) box.current?.focus();
  }, [id, disabled]);
  useLayoutEffect(() => {
    // The box grows with its text up to eight lines.
    const element = box.current;
    if (!element) return;
    element.rows = 1;
    const line = parseFloat(getComputedStyle(element).lineHeight);
    element.rows = Math.min(8, Math.max(1, Math.round((element.scrollHeight - 24) / line)));
  }, [text]);

  const count = [...text].length;
  const tooLong = count > page.messageChars;
  const empty = text.trim() === '' && !uploads.some((one) => one.state === 'ready');
  const uploading = uploads.some((one) => one.state === 'uploading');
  const cannotSend = disabled || empty || tooLong || uploading;
  const send = () => {
    if (cannotSend || stop) return;
    void controller.send(text, controller.uploader.takeReady());
    setText('');
    box.current?.focus();
  };
  const stopAnswer = () => {
    void stop?.();
    box.current?.focus();
  };
  const attach = (files: Iterable<File>) => {
    controller.uploader.add(files);
    box.current?.focus();
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === 'Escape' && stop) {
      stopAnswer();
    }
  };
  const paste = (event: ClipboardEvent) => {
    const data = event.clipboardData;
    // Table cells are pasted as a picture too; only their text is wanted.
    if (!capabilities.files || !data?.files.length || data.types.includes('text/plain')) return;
    event.preventDefault();
    controller.uploader.add(data.files);
  };
  return (
    <form class="composer" onSubmit={(event) => { event.preventDefault(); send(); }}>
      <label for="message" class="visually-hidden">Message</label>
      <div class="composer-box">
        {uploads.length > 0 && <Uploads uploader={controller.uploader} uploads={uploads} />}
        <div class="composer-row">
          {capabilities.files && <AttachButton types={capabilities.files.types} disabled={disabled} attach={attach} />}
          <textarea
            ref={box} id="message" rows={1} value={text} disabled={disabled} placeholder="Write a message"
            aria-describedby="composer-note" aria-invalid={tooLong}
            onInput={(e) => setText(e.currentTarget.value)} onKeyDown={key} onPaste={paste}
          />
          {stop
            ? <button type="button" class="round" aria-label="Stop the answer" title="Stop (Esc)" onClick={stopAnswer}><StopIcon /></button>
            : <button type="submit" class="round" aria-label="Send" title="Send (Enter)" disabled={cannotSend}><Icon name="send" /></button>}
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
        {capabilities.models.length > 1 && <ModelChoice models={capabilities.models} chosen={state.model} choose={(model) => controller.chooseModel(model)} />}
      </div>
    </form>
  );
}

function hintOf(uploading: boolean, answering: boolean): string {
  if (uploading) return 'You can send once the files are uploaded.';
  return `Enter sends, Shift+Enter starts a new line${answering ? ', Esc stops the answer' : ''}.`;
}
