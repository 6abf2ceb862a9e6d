import { useEffect, useRef, useState } from 'preact/hooks';
import { announce } from './announce';

/** Copies a text to the clipboard; false if the browser does not allow it. */
async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // Browsers allow it only on secure origins.
  }
}

export function CopyButton({ text, what }: { text: string; what: string }) {
  const [label, setLabel] = useState('');
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    const done = await toClipboard(text);
    setLabel(done ? 'Copied' : 'Select and copy the text');
    announce(done ? `${what} copied` : 'The browser does not allow this page to copy.');
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setLabel(''), 2000);
  };
  return (
    <button type="button" class="quiet copy" aria-label={`Copy ${what}`} onClick={copy}>
      {label || 'Copy'}
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
