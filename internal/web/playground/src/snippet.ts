/** A request that was sent, without its token. */
export interface Sent {
  method: string;
  url: string;
  /** JSON, or empty. */
  body: string;
  /** Whether the response is a stream. */
  streams: boolean;
  /** A file that is sent, with its media type, or a file that is received. Snippets name it FILE. */
  file?: { sent: string } | 'received';
}

const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/** The request as a curl command; the token is in the variable TOKEN. */
export function asCurl({ method, url, body, streams, file }: Sent): string {
  const parts = [`curl ${streams ? '-N ' : ''}${method === 'GET' ? '' : `-X ${method} `}${quoted(url)}`];
  parts.push('-H "Authorization: Bearer $TOKEN"');
  if (body) parts.push(`-H 'Content-Type: application/json'`, `-d ${quoted(body)}`);
  if (file === 'received') parts.push('-o "$FILE"');
  else if (file) parts.push(`-H ${quoted(`Content-Type: ${file.sent}`)}`, '--data-binary @"$FILE"');
  return parts.join(' \\\n  ');
}

/** The request as JavaScript; the token is in the variable TOKEN. */
export function asFetch({ method, url, body, streams, file }: Sent): string {
  const lines = [`const response = await fetch(${JSON.stringify(url)}, {`];
  if (method !== 'GET') lines.push(`  method: '${method}',`);
  lines.push('  headers: {', '    Authorization: `Bearer ${TOKEN}`,');
  const sent = typeof file === 'object' ? file.sent : body ? 'application/json' : '';
  if (sent) lines.push(`    'Content-Type': ${JSON.stringify(sent).replaceAll('"', "'")},`);
  lines.push('  },');
  if (body) lines.push(`  body: JSON.stringify(${JSON.stringify(JSON.parse(body), null, 2).replaceAll('\n', '\n  ')}),`);
  if (typeof file === 'object') lines.push('  body: FILE,');
  lines.push('});');
  if (streams) {
    lines.push('for await (const bytes of response.body) {', '  console.log(new TextDecoder().decode(bytes));', '}');
  } else if (file) {
    lines.push(file === 'received' ? 'const FILE = await response.blob();' : 'console.log(response.status);');
  } else {
    lines.push('console.log(await response.json());');
  }
  return lines.join('\n');
}
