import { useEffect, useRef } from 'preact/hooks';
import { sizeName } from './format';
import { Icon } from './icons';
import type { Upload } from './state';
import type { Uploader } from './uploader';

/** The files of the message that is being written. */
export function Uploads({ uploader, uploads }: { uploader: Uploader; uploads: Upload[] }) {
  const list = useRef<HTMLUListElement>(null);
  const remove = (key: string, n: number) => {
    // The focused button is removed; its neighbour or the message gets the focus.
    const buttons = list.current?.querySelectorAll<HTMLElement>('button') ?? [];
    (buttons[n + 1] ?? buttons[n - 1] ?? document.getElementById('message'))?.focus();
    uploader.remove(key);
  };
  return (
    <ul ref={list} class="files" aria-label="Files of this message">
      {uploads.map(({ key, file, state, failure }, n) => (
        <li key={key} class={`file ${state}`}>
          {file.type.startsWith('image/') && state !== 'failed' ? <Thumbnail file={file} /> : <span class="file-icon"><Icon name="file" /></span>}
          <span class="file-words">
            <span class="file-name">{file.name}</span>
            <span class="file-note">
              {state === 'failed' && failure ? `${failure.title}. ${failure.detail}` : state === 'uploading' ? 'Uploading…' : sizeName(file.size)}
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

/** Twice the size in the style sheet, for high-density screens. */
const thumbnailPixels = 80;

/** A canvas, since the page's content security policy allows images only from the server. */
function Thumbnail({ file }: { file: File }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    void createImageBitmap(file).then((image) => {
      const scale = thumbnailPixels / Math.min(image.width, image.height);
      const [width, height] = [image.width * scale, image.height * scale];
      canvas.current?.getContext('2d')
        ?.drawImage(image, (thumbnailPixels - width) / 2, (thumbnailPixels - height) / 2, width, height);
      image.close();
    }, () => undefined); // The server reports what is wrong with the file.
  }, [file]);
  return <canvas ref={canvas} class="thumbnail" width={thumbnailPixels} height={thumbnailPixels} aria-hidden="true" />;
}
