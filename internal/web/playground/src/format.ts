// Values in words, for the page and for screen readers.
import type { FinishReason } from './types';

/** How long the model thought. */
export function thinkingTime(seconds: number | undefined): string {
  if (seconds === undefined) return 'Thought';
  if (seconds < 1) return 'Thought for a moment';
  if (seconds < 60) return `Thought for ${seconds} ${seconds === 1 ? 'second' : 'seconds'}`;
  return `Thought for ${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

const typeNames: Record<string, string> = { 'text/plain': 'plain text', 'text/markdown': 'Markdown', 'image/webp': 'WebP' };

/** The name of a media type, such as PNG. */
export function typeName(type: string): string {
  return typeNames[type] ?? (type.split('/')[1] ?? type).replace(/^x-|\+.*$/g, '').toUpperCase();
}

/** A file's size with its unit. */
export function sizeName(bytes: number): string {
  if (bytes < 1024) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  const [size, unit] = bytes < 1024 ** 2 ? [bytes / 1024, 'KiB'] : [bytes / 1024 ** 2, 'MiB'];
  return `${size.toFixed(size < 10 ? 1 : 0).replace(/\.0$/, '')} ${unit}`;
}

/** Words as an enumeration: a, b and c. */
export function enumeration(words: string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

// The same sentences as the notice in the stream of a run.
const finishNotices: Record<FinishReason, string> = {
  length: "The answer is cut: it reached the model's limit of tokens.",
  content_filter: "The answer is cut: the model provider's content filter ended it.",
  unknown: 'The answer may be incomplete: the model stopped for a reason that this server does not know.',
};

/** Why an answer of the history is incomplete. */
export function finishNotice(reason: FinishReason): string {
  return finishNotices[reason] ?? 'The answer may be incomplete.';
}
