import { useEffect, useRef } from 'preact/hooks';
import type { Files, Upload } from './files';
import { sizeName } from './files';
import { Icon } from './icons';

/** The files of the message that is being written. */
export function Uploads({ files, uploads }: { files: Files; uploads: Upload[] }) {
  const list = useRef<HTMLUListElement>(null);
  const remove = (key: string, n: number) => {
    // The button that had the focus goes; the next one, or the message, gets it.
    const buttons = list.current?.querySelectorAll<HTMLElement>('button') ?? [];
    (buttons[n + 1] ?? buttons[n - 1] ?? document.getElementById('message'))?.focus();
    files.remove(key);
  };
  return (
    <ul ref={list} class="files" aria-label="Files of this message">
      {uploads.map(({ key, file, state, failure }, n) => (
        <li key={key} class={`file ${state}`}>
          {file.type.startsWith('image/') && state !== 'failed' ? <Thumbnail file={file} /> : <span class="file-icon"><Icon name="file" /></span>}
          <span class="file-words">
            <span class="file-name">{file.name}</span>
            <span class="file-note">
              {state === 'failed' && failure ? `${failure.title}. ${failure.detail}` : state === 'sending' ? 'Uploading…' : sizeName(file.size)}
            </span>
          </span>
          <button type="button" class="quiet square" aria-label={`Remove ${file.name}`} title="Remove" onClick={() => remove(key, n)}>
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Twice what the style sheet shows, for sharp screens. */
const thumbnailPixels = 80;

/** Drawn, not shown as an image: the page's policy has no images but the server's. */
function Thumbnail({ file }: { file: File }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    void createImageBitmap(file).then((image) => {
      const scale = thumbnailPixels / Math.min(image.width, image.height);
      const [width, height] = [image.width * scale, image.height * scale];
      canvas.current?.getContext('2d')
        ?.drawImage(image, (thumbnailPixels - width) / 2, (thumbnailPixels - height) / 2, width, height);
      image.close();
    }, () => undefined); // The server says what is wrong with it.
  }, [file]);
  return <canvas ref={canvas} class="thumbnail" width={thumbnailPixels} height={thumbnailPixels} aria-hidden="true" />;
}
