import { useEffect, useRef, useState } from 'preact/hooks';
import { announce } from './announce';

/** Puts the text on the clipboard; false where the browser forbids it. */
async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // The clipboard is for secure origins alone.
  }
}

export function CopyButton({ text, what }: { text: string; what: string }) {
  const [said, setSaid] = useState('');
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    const done = await toClipboard(text);
    const word = done ? 'Copied' : 'Select and copy it yourself';
    setSaid(word);
    announce(done ? `${what} copied` : 'The browser does not let this page copy.');
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setSaid(''), 2000);
  };
  return (
    <button type="button" class="quiet copy" aria-label={`Copy ${what}`} onClick={copy}>
      {said || 'Copy'}
    </button>
  );
}

export function CodeBlock({ code, language, what = 'code' }: { code: string; language: string; what?: string }) {
  return (
    <div class="code">
      <div class="code-head">
        <span>{language || what}</span>
        <CopyButton text={code} what={what} />
      </div>
      <pre tabIndex={0} aria-label={language ? `${language} ${what}` : what} role="region"><code>{code}</code></pre>
    </div>
  );
}
