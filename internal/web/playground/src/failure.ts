import type { ErrorCode, ErrorResponse } from './types';

/** What went wrong, in words for the user. */
export interface Failure {
  /** The server's error code, or one of the page's own. */
  code: ErrorCode | 'NETWORK' | 'CUT' | 'STREAM' | 'FILE';
  title: string;
  detail: string;
  /** The earliest time to try again, in milliseconds like Date.now(). */
  retryAt?: number;
  /** Whether sending the same message again makes sense. */
  retryable: boolean;
}

const titles: Partial<Record<ErrorCode, string>> = {
  UNAUTHORIZED: 'The token is not accepted',
  FORBIDDEN: 'Not allowed',
  SESSION_NOT_FOUND: 'This session no longer exists',
  THREAD_NOT_FOUND: 'This session no longer exists',
  RUN_IN_PROGRESS: 'One answer at a time',
  EMPTY_MESSAGE: 'The message is empty',
  MESSAGE_TOO_LONG: 'The message is too long',
  RATE_LIMIT_EXCEEDED: 'Too many requests',
  SESSION_LIMIT: 'Too many sessions',
  REQUEST_TOO_LARGE: 'Too large',
  UNSUPPORTED_MEDIA_TYPE: 'File type not supported',
  ATTACHMENT_NOT_FOUND: 'This file no longer exists',
  ATTACHMENT_CONFLICT: 'This file cannot be used now',
  ATTACHMENT_LIMIT: 'Too many files',
  UPSTREAM_ERROR: 'The model did not answer',
  SERVICE_UNAVAILABLE: 'The server cannot do this now',
  INTERNAL_ERROR: 'The server failed',
};

/** The failure that an error answer describes. */
export function failureOf(answer: ErrorResponse | undefined, response: Response): Failure {
  const code = answer?.error?.code ?? 'INTERNAL_ERROR';
  const failure: Failure = {
    code,
    title: titles[code] ?? 'The server refused this request',
    detail: answer?.error?.message ?? `The server answered with status ${response.status} and no explanation.`,
    retryable: code === 'UPSTREAM_ERROR',
  };
  const wait = Number(response.headers.get('Retry-After'));
  if (wait > 0) failure.retryAt = Date.now() + wait * 1000;
  if (code === 'RATE_LIMIT_EXCEEDED' && wait > 0) failure.detail = tooMany(response.headers.get('RateLimit-Limit'), wait);
  return failure;
}

function tooMany(limit: string | null, wait: number): string {
  const most = limit ? `The server accepts ${limit} requests a minute from one address. ` : '';
  return `${most}Try again in ${wait} ${wait === 1 ? 'second' : 'seconds'}.`;
}

/** The request got no answer. */
export const unreachable: Failure = {
  code: 'NETWORK',
  title: 'The server cannot be reached',
  detail: 'Check that it is running and that you are online, then try again.',
  retryable: false,
};

/** The stream of an answer ended early. */
export const connectionLost: Failure = {
  code: 'CUT',
  title: 'The connection was lost',
  detail: 'The part of the answer that was received is kept. Reload the page to see what the server has saved.',
  retryable: true,
};

/** The pasted text cannot be a token. */
export const noToken: Failure = {
  code: 'UNAUTHORIZED',
  title: 'This is not a token',
  detail: 'A token is a JWT: letters, digits, “-” and “_” in three parts with dots between. Paste it alone, without quotes.',
  retryable: false,
};
