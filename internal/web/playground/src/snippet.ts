/** A request as it was sent, without what is secret in it. */
export interface Sent {
  method: string;
  url: string;
  /** JSON, or empty. */
  body: string;
  /** Whether its answer is a stream. */
  streams: boolean;
}

const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/** The request for a shell; the token is in the variable TOKEN. */
export function asCurl({ method, url, body, streams }: Sent): string {
  const parts = [`curl ${streams ? '-N ' : ''}${method === 'GET' ? '' : `-X ${method} `}${quoted(url)}`];
  parts.push('-H "Authorization: Bearer $TOKEN"');
  if (body) parts.push(`-H 'Content-Type: application/json'`, `-d ${quoted(body)}`);
  return parts.join(' \\\n  ');
}

/** The request for a program; the token is in the variable TOKEN. */
export function asFetch({ method, url, body, streams }: Sent): string {
  const lines = [`const response = await fetch(${JSON.stringify(url)}, {`];
  if (method !== 'GET') lines.push(`  method: '${method}',`);
  lines.push('  headers: {', '    Authorization: `Bearer ${TOKEN}`,');
  if (body) lines.push(`    'Content-Type': 'application/json',`);
  lines.push('  },');
  if (body) lines.push(`  body: JSON.stringify(${JSON.stringify(JSON.parse(body), null, 2).replaceAll('\n', '\n  ')}),`);
  lines.push('});');
  if (streams) {
    lines.push('for await (const bytes of response.body) {', '  console.log(new TextDecoder().decode(bytes));', '}');
  } else {
    lines.push('console.log(await response.json());');
  }
  return lines.join('\n');
}
