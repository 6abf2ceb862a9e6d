// Markdown to elements. The model's text is untrusted and never becomes HTML
// text: markdown-it parses it into tokens, and each token becomes one of the
// elements below with its text in a text node. There is no markup to sanitize.
import { h, type ComponentChild } from 'preact';
import { useMemo } from 'preact/hooks';
import MarkdownIt, { type Token } from 'markdown-it';
import { CodeBlock } from './code-block';

const mostLevels = 24;
const parser = new MarkdownIt({ html: false, linkify: false, maxNesting: mostLevels });
// Images stay text: loading one would tell another host that the answer was read.
parser.disable('image');

const elements = new Set([
  'p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'blockquote', 'em', 'strong', 's',
  'table', 'thead', 'tbody', 'tr', 'th', 'td',
]);
const schemes = new Set(['http:', 'https:', 'mailto:']);

function target(token: Token): string | undefined {
  const href = String(token.attrGet('href') ?? '');
  try {
    return schemes.has(new URL(href).protocol) ? href : undefined;
  } catch {
    return undefined; // A relative URL would point to this server.
  }
}

interface Frame {
  make: (children: ComponentChild[]) => ComponentChild;
  children: ComponentChild[];
}

const plain = (children: ComponentChild[]): ComponentChild => children;

function opened(token: Token): Frame['make'] {
  if (token.type === 'link_open') {
    const href = target(token);
    if (href === undefined) return plain;
    return (children) => <a href={href} target="_blank" rel="noopener noreferrer nofollow">{children}</a>;
  }
  if (token.hidden || !elements.has(token.tag)) return plain;
  // h1 and h2 are the page's own headings.
  const tag = /^h[1-6]$/.test(token.tag) ? `h${Math.min(6, Number(token.tag[1]) + 2)}` : token.tag;
  const props: Record<string, unknown> = {};
  const start = Number(token.attrGet('start'));
  if (tag === 'ol' && start > 0) props['start'] = start;
  if (tag === 'table') return (children) => <div class="table" tabIndex={0} role="region" aria-label="Table">{h('table', null, children)}</div>;
  return (children) => h(tag, props, children);
}

function leaf(token: Token): ComponentChild {
  switch (token.type) {
    case 'inline':
      return elementsOf(token.children ?? []);
    case 'softbreak':
      return '\n';
    case 'hardbreak':
      return <br />;
    case 'hr':
      return <hr />;
    case 'code_inline':
      return <code>{token.content}</code>;
    case 'fence':
    case 'code_block':
      return <CodeBlock code={token.content.replace(/\n$/, '')} language={token.info.trim().split(/\s+/)[0] ?? ''} />;
    default:
      return token.content;
  }
}

function elementsOf(tokens: Token[]): ComponentChild[] {
  const root: Frame = { make: plain, children: [] };
  const stack = [root];
  for (const token of tokens) {
    const top = stack.at(-1) ?? root;
    if (token.nesting === 1) {
      stack.push({ make: opened(token), children: [] });
    } else if (token.nesting === -1) {
      if (stack.length > 1) {
        stack.pop();
        (stack.at(-1) ?? root).children.push(top.make(top.children));
      }
    } else {
      top.children.push(leaf(token));
    }
  }
  return root.children;
}

/** Shows a text of the model. Text that cannot be parsed is shown verbatim. */
export function Markdown({ text }: { text: string }) {
  const content = useMemo(() => {
    try {
      const tokens = parser.parse(text, {});
      // The parser omits text below its deepest level; all text must be shown.
      if (tokens.every(({ level }) => level < mostLevels - 2)) return elementsOf(tokens);
    } catch {
      // Shown verbatim.
    }
    return <p class="verbatim">{text}</p>;
  }, [text]);
  return <div class="prose">{content}</div>;
}
