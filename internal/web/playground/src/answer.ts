// An answer in its parts: what the model thought, the tools that were called,
// what it wrote.
import type { Message, StreamEvent, ThreadItem, ThreadItemUpdate, ToolCall } from './types';

export type Part =
  | { kind: 'text'; id: string; text: string }
  /** Without seconds while the model thinks. */
  | { kind: 'thinking'; id: string; thoughts: string[]; seconds: number | undefined }
  | { kind: 'progress'; id: string; text: string }
  | { kind: 'call'; id: string; call: ToolCall };

/** The parts after one more event of the run. */
export function after(parts: Part[], event: StreamEvent): Part[] {
  switch (event.type) {
    case 'thread.item.added':
    case 'thread.item.done': {
      const part = partOf(event.item);
      return part ? put(parts, part) : parts;
    }
    case 'thread.item.updated':
      return parts.map((part) => (part.id === event.item_id ? grown(part, event.update) : part));
    case 'progress_update':
      return [...parts, { kind: 'progress', id: crypto.randomUUID(), text: event.text }];
    default:
      return parts;
  }
}

function partOf(item: ThreadItem): Part | undefined {
  if (item.type === 'assistant_message') {
    return { kind: 'text', id: item.id, text: item.content.map(({ text }) => text).join('\n') };
  }
  if (item.type === 'workflow') {
    const { tasks, summary } = item.workflow;
    return { kind: 'thinking', id: item.id, thoughts: tasks.map(({ content }) => content), seconds: summary?.duration };
  }
  return undefined; // Items of a later version do no harm.
}

function put(parts: Part[], part: Part): Part[] {
  const known = parts.some(({ id }) => id === part.id);
  return known ? parts.map((one) => (one.id === part.id ? part : one)) : [...parts, part];
}

function grown(part: Part, update: ThreadItemUpdate): Part {
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

/** A message of the history in its parts. What the model wrote came before the tools that it called. */
export function partsOf(message: Message): Part[] {
  const text = written(message);
  const parts: Part[] = text === '' ? [] : [{ kind: 'text', id: message.id, text }];
  return parts.concat((message.tool_calls ?? []).map(partOfCall));
}

// The model's id of a call need not be the only one of its kind.
function partOfCall(call: ToolCall): Part {
  return { kind: 'call', id: crypto.randomUUID(), call };
}

/** A message's text; what it mentions stands within its sentence. */
export function written({ content }: Message): string {
  const tagged = content.some(({ type }) => type === 'input_tag');
  return content.map(({ type, text }) => (type === 'input_tag' ? `@${text}` : text)).join(tagged ? '' : '\n');
}

/** What is known of the calls in the place of the progress that told of each. */
export function withCalls(parts: Part[], calls: ToolCall[]): Part[] {
  const rest = calls.map(partOfCall);
  const last = parts.findLastIndex(({ kind }) => kind === 'progress');
  return parts.flatMap((part, n) => {
    if (part.kind !== 'progress') return [part];
    return n === last ? rest.splice(0) : rest.splice(0, 1);
  });
}

/** Whether there is anything to be seen. */
export function hasContent(parts: Part[]): boolean {
  return parts.some((part) => part.kind !== 'text' || part.text !== '');
}

/** The tool calls between a user's message and the next one. */
export function callsAfter(messages: Message[], asked: string): ToolCall[] {
  const rest = messages.slice(messages.findIndex(({ id }) => id === asked) + 1);
  const next = rest.findIndex(({ role }) => role === 'user');
  return rest.slice(0, next < 0 ? rest.length : next).flatMap(({ tool_calls }) => tool_calls ?? []);
}
