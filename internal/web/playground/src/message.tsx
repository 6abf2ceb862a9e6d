import { useState } from 'preact/hooks';
import { Attachments } from './attachments';
import type { Part } from './answer';
import { CodeBlock } from './code-block';
import { thinkingTime } from './format';
import { Markdown } from './markdown';
import type { Answer, ShownMessage } from './state';
import type { Attachment, ToolCall } from './types';

interface Props {
  message: ShownMessage;
  download: (attachment: Attachment) => void;
}

export function MessageView({ message, download }: Props) {
  return message.role === 'user'
    ? (
      <article class="message mine" aria-busy={false}>
        <h2 class="visually-hidden">You</h2>
        {message.attachments.length > 0 && <Attachments attachments={message.attachments} download={download} />}
        {message.text.trim() !== '' && <p class="message-text">{message.text}</p>}
      </article>
    )
    : <AnswerView answer={message} />;
}

function AnswerView({ answer: { parts, state } }: { answer: Answer }) {
  const streaming = state === 'streaming';
  const notices = parts.filter((part) => part.kind === 'notice');
  const last = parts.at(-1);
  const idle = !last || last.kind === 'call' || (last.kind === 'text' && last.text === '')
    || (last.kind === 'thinking' && last.seconds !== undefined);
  return (
    <article class="message" aria-busy={streaming}>
      <h2 class="visually-hidden">Answer</h2>
      {parts.map((part) => <PartView key={part.id} part={part} live={streaming && part === last} streaming={streaming} />)}
      {streaming && idle && <Dots />}
      {/* In the page before its text comes, so that a screen reader announces the text. */}
      <div class="ending" role="status">{notices.map(({ id, text }) => <Markdown key={id} text={text} />)}</div>
      {state === 'stopped' && <p class="ending">You stopped this answer.</p>}
      {state === 'failed' && <p class="ending">The answer ends here.</p>}
    </article>
  );
}

/** A part of an answer; live marks the part that grows. */
function PartView({ part, live, streaming }: { part: Part; live: boolean; streaming: boolean }) {
  switch (part.kind) {
    case 'text':
      return <Markdown text={part.text} />;
    case 'thinking':
      return <Thinking thoughts={part.thoughts} seconds={part.seconds} thinking={streaming && part.seconds === undefined} />;
    case 'progress':
      return <p class="progress">{part.text}{live && <Dots />}</p>;
    case 'call':
      return <Call call={part.call} />;
    case 'notice':
      return null; // The answer shows its notices at its end.
  }
}

function Dots() {
  return <span class="dots" aria-hidden="true"><i /><i /><i /></span>;
}

interface ThinkingProps {
  thoughts: string[];
  seconds: number | undefined;
  thinking: boolean;
}

/** Open while the model thinks and closed afterwards, unless the user chooses otherwise. */
function Thinking({ thoughts, seconds, thinking }: ThinkingProps) {
  const [choice, choose] = useState<boolean>();
  const open = choice ?? thinking;
  return (
    <details class="fold" open={open}>
      <summary onClick={(event) => { event.preventDefault(); choose(!open); }}>
        {thinking ? <>Thinking<Dots /></> : thinkingTime(seconds)}
      </summary>
      <div class="fold-body thoughts">{thoughts.map((text, n) => <Markdown key={n} text={text} />)}</div>
    </details>
  );
}

function Call({ call: { name, arguments: given, result, call_failed: failed } }: { call: ToolCall }) {
  return (
    <details class="fold">
      <summary><span>{failed ? 'Could not call' : 'Used'} <code>{name}</code></span></summary>
      <div class="fold-body">
        <CodeBlock code={given} language="" what="Arguments" />
        {result === undefined
          ? <p class="small">It returned no result.</p>
          : <CodeBlock code={result} language="" what="Result" />}
      </div>
    </details>
  );
}
