// An answer as a list of parts: thoughts, tool calls, text and notices.
import { finishNotice } from './format';
import type { Message, StreamEvent, ThreadItem, ThreadItemUpdate, ToolCall } from './types';

export type Part =
  | { kind: 'text'; id: string; text: string }
  /** seconds is undefined while the model thinks. */
  | { kind: 'thinking'; id: string; thoughts: string[]; seconds: number | undefined }
  | { kind: 'progress'; id: string; text: string }
  | { kind: 'call'; id: string; call: ToolCall }
  /** Markdown from the server about the answer, such as that it is incomplete. */
  | { kind: 'notice'; id: string; text: string };

/** Returns the parts with one more event of the run applied. */
export function applyEvent(parts: Part[], event: StreamEvent): Part[] {
  switch (event.type) {
    case 'thread.item.added':
    case 'thread.item.done': {
      const part = partOf(event.item);
      return part ? upsert(parts, part) : parts;
    }
    case 'thread.item.updated':
      return parts.map((part) => (part.id === event.item_id ? applyUpdate(part, event.update) : part));
    case 'progress_update':
      return withProgress(parts, event.text);
    case 'notice':
      return [...parts, { kind: 'notice', id: crypto.randomUUID(), text: event.message }];
    default:
      return parts;
  }
}

/** Adds a line of progress. A call that failed was announced before; its line is replaced. */
function withProgress(parts: Part[], text: string): Part[] {
  const line: Part = { kind: 'progress', id: crypto.randomUUID(), text };
  const tool = /^Could not call (.*)$/s.exec(text)?.[1];
  const at = parts.findLastIndex((part) => part.kind === 'progress' && part.text === `Using ${tool} …`);
  return at < 0 ? [...parts, line] : parts.with(at, line);
}

function partOf(item: ThreadItem): Part | undefined {
  if (item.type === 'assistant_message') {
    return { kind: 'text', id: item.id, text: item.content.map(({ text }) => text).join('\n') };
  }
  if (item.type === 'workflow') {
    const { tasks, summary } = item.workflow;
    return { kind: 'thinking', id: item.id, thoughts: tasks.map(({ content }) => content), seconds: summary?.duration };
  }
  return undefined; // A later version may have items that this page does not know.
}

function upsert(parts: Part[], part: Part): Part[] {
  const known = parts.some(({ id }) => id === part.id);
  return known ? parts.map((one) => (one.id === part.id ? part : one)) : [...parts, part];
}

function applyUpdate(part: Part, update: ThreadItemUpdate): Part {
  if (part.kind === 'text' && update.type === 'assistant_message.content_part.text_delta') {
    return { ...part, text: part.text + update.delta };
  }
  if (part.kind === 'thinking' && (update.type === 'workflow.task.added' || update.type === 'workflow.task.updated')) {
    const thoughts = [...part.thoughts];
    thoughts[update.task_index] = update.task.content;
    return { ...part, thoughts };
  }
  return part;
}

/** The parts of a message of the history. Its text precedes the tools that the model then called. */
export function partsOf(message: Message): Part[] {
  const text = textOf(message);
  const parts: Part[] = text === '' ? [] : [{ kind: 'text', id: message.id, text }];
  parts.push(...(message.tool_calls ?? []).map(partOfCall));
  if (message.finish_reason) parts.push({ kind: 'notice', id: `${message.id}-notice`, text: finishNotice(message.finish_reason) });
  return parts;
}

// A model may use the id of a call twice.
function partOfCall(call: ToolCall): Part {
  return { kind: 'call', id: crypto.randomUUID(), call };
}

/** A message's text. Mentions stay within their sentence. */
export function textOf({ content }: Message): string {
  const tagged = content.some(({ type }) => type === 'input_tag');
  return content.map(({ type, text }) => (type === 'input_tag' ? `@${text}` : text)).join(tagged ? '' : '\n');
}

/** Replaces each progress line by the call that it announced. */
export function withCalls(parts: Part[], calls: ToolCall[]): Part[] {
  const rest = calls.map(partOfCall);
  const last = parts.findLastIndex(({ kind }) => kind === 'progress');
  return parts.flatMap((part, n) => {
    if (part.kind !== 'progress') return [part];
    return n === last ? rest.splice(0) : rest.splice(0, 1);
  });
}

/** Whether the parts show anything. */
export function hasContent(parts: Part[]): boolean {
  return parts.some((part) => part.kind !== 'text' || part.text !== '');
}
