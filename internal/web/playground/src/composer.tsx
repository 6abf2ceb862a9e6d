import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon, StopIcon } from './icons';
import { page } from './token';

interface Props {
  /** The session it writes in; a change empties it. */
  id: string;
  disabled: boolean;
  stop: (() => void) | undefined;
  /** A message that was not taken. */
  returned: string | undefined;
  onSend: (text: string) => void;
}

/** How near to the limit the count is shown. */
const warnAt = 0.8;

export function Composer({ id, disabled, stop, returned, onSend }: Props) {
  const [text, setText] = useState('');
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => setText(''), [id]);
  useEffect(() => { if (returned !== undefined) setText(returned); }, [id, returned]);
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
  const blank = text.trim() === '';
  const send = () => {
    if (blank || tooLong || disabled || stop) return;
    onSend(text);
    setText('');
    box.current?.focus();
  };
  const halt = () => {
    stop?.();
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
  return (
    <form class="composer" onSubmit={(event) => { event.preventDefault(); send(); }}>
      <label for="message" class="visually-hidden">Message</label>
      <div class="composer-box">
        <textarea
          ref={box} id="message" rows={1} value={text} disabled={disabled} placeholder="Write a message"
          aria-describedby="composer-note" aria-invalid={tooLong} onInput={(e) => setText(e.currentTarget.value)} onKeyDown={key}
        />
        {stop
          ? <button type="button" class="round" aria-label="Stop the answer" title="Stop (Esc)" onClick={halt}><StopIcon /></button>
          : <button type="submit" class="round" aria-label="Send" title="Send (Enter)" disabled={disabled || blank || tooLong}><Icon name="send" /></button>}
      </div>
      <p id="composer-note" class="composer-note">
        <span class="hint">Enter sends, Shift+Enter makes a line{stop ? ', Esc stops the answer' : ''}.</span>
        {count > page.messageChars * warnAt && (
          <span class={tooLong ? 'too-long' : ''}>
            {tooLong ? `${count - page.messageChars} characters too many` : `${page.messageChars - count} characters left`}
          </span>
        )}
      </p>
    </form>
  );
}
