import type { ErrorCode, ErrorResponse } from './types';

/** What went wrong, in words for the person at the page. */
export interface Failure {
  /** The server's code, or what the page itself met. */
  code: ErrorCode | 'NETWORK' | 'CUT' | 'STREAM' | 'FILE';
  title: string;
  detail: string;
  /** When the next try makes sense, as Date.now() counts. */
  until?: number;
  /** Whether sending the same message again makes sense. */
  again: boolean;
}

const titles: Partial<Record<ErrorCode, string>> = {
  UNAUTHORIZED: 'The token is not accepted',
  FORBIDDEN: 'Not allowed',
  SESSION_NOT_FOUND: 'This session is gone',
  THREAD_NOT_FOUND: 'This session is gone',
  RUN_IN_PROGRESS: 'One answer at a time',
  EMPTY_MESSAGE: 'The message is empty',
  MESSAGE_TOO_LONG: 'The message is too long',
  RATE_LIMIT_EXCEEDED: 'Too many requests for the moment',
  SESSION_LIMIT: 'No room for another session',
  REQUEST_TOO_LARGE: 'Too large',
  UNSUPPORTED_MEDIA_TYPE: 'Not a type that is taken',
  ATTACHMENT_NOT_FOUND: 'This file is gone',
  ATTACHMENT_CONFLICT: 'This file cannot be used now',
  ATTACHMENT_LIMIT: 'No room for another file',
  UPSTREAM_ERROR: 'The model did not answer',
  SERVICE_UNAVAILABLE: 'The server cannot do this now',
  INTERNAL_ERROR: 'Something is wrong in the server',
};

/** A failure that the server told. */
export function told(answer: ErrorResponse | undefined, response: Response): Failure {
  const code = answer?.error?.code ?? 'INTERNAL_ERROR';
  const failure: Failure = {
    code,
    title: titles[code] ?? 'The server refused this request',
    detail: answer?.error?.message ?? `The answer has status ${response.status} and no explanation.`,
    again: code === 'UPSTREAM_ERROR',
  };
  const wait = Number(response.headers.get('Retry-After'));
  if (wait > 0) failure.until = Date.now() + wait * 1000;
  if (code === 'RATE_LIMIT_EXCEEDED' && wait > 0) failure.detail = tooMany(response.headers.get('RateLimit-Limit'), wait);
  return failure;
}

function tooMany(limit: string | null, wait: number): string {
  const most = limit ? `The server takes ${limit} requests a minute from one address. ` : '';
  return `${most}Try again in ${wait} ${wait === 1 ? 'second' : 'seconds'}.`;
}

/** A failure on the way to the server. */
export const unreachable: Failure = {
  code: 'NETWORK',
  title: 'The server cannot be reached',
  detail: 'See that it is running and that you are online, then try again.',
  again: false,
};

/** A stream that broke off. */
export const cut: Failure = {
  code: 'CUT',
  title: 'The connection broke off',
  detail: 'What had come of the answer is kept. Reload the page to see what the server has.',
  again: true,
};

/** What was pasted as a token cannot be one. */
export const noToken: Failure = {
  code: 'UNAUTHORIZED',
  title: 'This is no token',
  detail: 'A token is a JWT: letters, digits, “-” and “_” in three parts with dots between. Paste it alone, without quotes.',
  again: false,
};
