import { useState } from 'preact/hooks';
import { typeName } from './format';
import { Icon } from './icons';
import type { Attachment } from './types';

interface Props {
  attachments: Attachment[];
  download: (attachment: Attachment) => void;
}

/** The files of a sent message. */
export function Attachments({ attachments, download }: Props) {
  return (
    <ul class="files sent" aria-label="Files">
      {attachments.map((one) => <li key={one.id}><AttachmentView attachment={one} download={() => download(one)} /></li>)}
    </ul>
  );
}

function AttachmentView({ attachment, download }: { attachment: Attachment; download: () => void }) {
  // The URL of an image expires after an hour.
  const [failed, setFailed] = useState(false);
  const { name, mime_type } = attachment;
  if (attachment.type === 'image' && !failed) {
    const source = pathOf(attachment.preview_url);
    return (
      <a class="picture" href={source} target="_blank" rel="noopener" title={name}>
        <img src={source} alt={name} loading="lazy" onError={() => setFailed(true)} />
      </a>
    );
  }
  return (
    <button type="button" class="file" title="Download" onClick={download}>
      <span class="file-icon"><Icon name="file" /></span>
      <span class="file-words">
        <span class="file-name"><span class="visually-hidden">Download </span>{name}</span>
        <span class="file-note">{typeName(mime_type)}</span>
      </span>
    </button>
  );
}

/** Drops the host from a URL: it is the server's public one, but this page may only load from its own. */
function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}
