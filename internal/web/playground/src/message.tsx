import { useState } from 'preact/hooks';
import { Attachments } from './attachments';
import type { Part } from './answer';
import { CodeBlock } from './copy';
import { Markdown } from './markdown';
import type { Answer, Shown } from './state';
import type { Attachment, ToolCall } from './types';

interface Props {
  message: Shown;
  download: (attachment: Attachment) => void;
}

export function OneMessage({ message, download }: Props) {
  return message.role === 'user'
    ? (
      <article class="message mine" aria-busy={false}>
        <h2 class="visually-hidden">You</h2>
        {message.attachments.length > 0 && <Attachments attachments={message.attachments} download={download} />}
        {message.text.trim() !== '' && <p class="said">{message.text}</p>}
      </article>
    )
    : <OneAnswer answer={message} />;
}

function OneAnswer({ answer: { parts, state } }: { answer: Answer }) {
  const coming = state === 'coming';
  const last = parts.at(-1);
  const idle = !last || last.kind === 'call' || (last.kind === 'text' && last.text === '')
    || (last.kind === 'thinking' && last.seconds !== undefined);
  return (
    <article class="message" aria-busy={coming}>
      <h2 class="visually-hidden">Answer</h2>
      {parts.map((part) => <OnePart key={part.id} part={part} live={coming && part === last} coming={coming} />)}
      {coming && idle && <Dots />}
      {state === 'stopped' && <p class="ending">You stopped this answer.</p>}
      {state === 'cut' && <p class="ending">The answer ends here.</p>}
    </article>
  );
}

/** A part of an answer; live is the one that is under way. */
function OnePart({ part, live, coming }: { part: Part; live: boolean; coming: boolean }) {
  switch (part.kind) {
    case 'text':
      return <Markdown text={part.text} />;
    case 'thinking':
      return <Thinking thoughts={part.thoughts} seconds={part.seconds} under={coming && part.seconds === undefined} />;
    case 'progress':
      return <p class="progress">{part.text}{live && <Dots />}</p>;
    case 'call':
      return <Call call={part.call} />;
  }
}

function Dots() {
  return <span class="dots" aria-hidden="true"><i /><i /><i /></span>;
}

interface ThinkingProps {
  thoughts: string[];
  seconds: number | undefined;
  under: boolean;
}

/** Open while the model thinks and folded after, unless the reader wants it otherwise. */
function Thinking({ thoughts, seconds, under }: ThinkingProps) {
  const [choice, choose] = useState<boolean>();
  const open = choice ?? under;
  return (
    <details class="fold" open={open}>
      <summary onClick={(event) => { event.preventDefault(); choose(!open); }}>
        {under ? <>Thinking<Dots /></> : thoughtFor(seconds)}
      </summary>
      <div class="fold-body thoughts">{thoughts.map((text, n) => <Markdown key={n} text={text} />)}</div>
    </details>
  );
}

export function thoughtFor(seconds: number | undefined): string {
  if (seconds === undefined) return 'Thought';
  if (seconds < 1) return 'Thought for a moment';
  if (seconds < 60) return `Thought for ${seconds} ${seconds === 1 ? 'second' : 'seconds'}`;
  return `Thought for ${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function Call({ call: { name, arguments: given, result } }: { call: ToolCall }) {
  return (
    <details class="fold">
      <summary><span>Used <code>{name}</code></span></summary>
      <div class="fold-body">
        <CodeBlock code={given} language="" what="Arguments" />
        {result === undefined
          ? <p class="small">It has given no result.</p>
          : <CodeBlock code={result} language="" what="Result" />}
      </div>
    </details>
  );
}
