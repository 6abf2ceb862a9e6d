import { partsOf, textOf } from './answer';
import type { ShownMessage } from './state';
import type { Message, ToolCall } from './types';

/** The messages of the history as shown: everything after a user's message is one answer. */
export function messagesOf(messages: Message[]): ShownMessage[] {
  const list: ShownMessage[] = [];
  for (const message of messages) {
    const last = list.at(-1);
    if (message.role === 'user') list.push({ role: 'user', key: message.id, text: textOf(message), attachments: message.attachments ?? [] });
    else if (last?.role === 'assistant') last.parts = last.parts.concat(partsOf(message));
    else list.push({ role: 'assistant', key: message.id, state: 'complete', parts: partsOf(message) });
  }
  return list;
}

/** The tool calls between a user's message and the next one. */
export function callsAfter(messages: Message[], messageId: string): ToolCall[] {
  const rest = messages.slice(messages.findIndex(({ id }) => id === messageId) + 1);
  const next = rest.findIndex(({ role }) => role === 'user');
  return rest.slice(0, next < 0 ? rest.length : next).flatMap(({ tool_calls }) => tool_calls ?? []);
}
