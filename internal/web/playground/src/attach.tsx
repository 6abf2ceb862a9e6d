import { useRef } from 'preact/hooks';
import { Icon } from './icons';

interface Props {
  types: string[];
  disabled: boolean;
  attach: (files: Iterable<File>) => void;
}

export function AttachButton({ types, disabled, attach }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const picked = (event: Event & { currentTarget: HTMLInputElement }) => {
    attach([...(event.currentTarget.files ?? [])]);
    event.currentTarget.value = ''; // The same file may be picked again.
  };
  return (
    <>
      <input ref={input} type="file" multiple hidden accept={types.join(',')} onChange={picked} />
      <button
        type="button" class="quiet square attach" aria-label="Attach files" title="Attach files" disabled={disabled}
        onClick={() => input.current?.click()}
      >
        <Icon name="clip" />
      </button>
    </>
  );
}
