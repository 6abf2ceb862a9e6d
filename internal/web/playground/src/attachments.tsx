import { useState } from 'preact/hooks';
import { typeName } from './files';
import { Icon } from './icons';
import type { Attachment } from './types';

interface Props {
  attachments: Attachment[];
  download: (attachment: Attachment) => void;
}

/** The files that came with a message. */
export function Attachments({ attachments, download }: Props) {
  return (
    <ul class="files sent" aria-label="Files">
      {attachments.map((one) => <li key={one.id}><OneAttachment attachment={one} download={() => download(one)} /></li>)}
    </ul>
  );
}

function OneAttachment({ attachment, download }: { attachment: Attachment; download: () => void }) {
  // The link to an image is good for an hour.
  const [lost, setLost] = useState(false);
  const { name, mime_type } = attachment;
  if (attachment.type === 'image' && !lost) {
    const source = ownAddress(attachment.preview_url);
    return (
      <a class="picture" href={source} target="_blank" rel="noopener" title={name}>
        <img src={source} alt={name} loading="lazy" onError={() => setLost(true)} />
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

/** The server's links name its public address; this page may be open under another, and asks its own alone. */
function ownAddress(link: string): string {
  const { pathname, search } = new URL(link);
  return pathname + search;
}
