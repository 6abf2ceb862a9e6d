import { useRef } from 'preact/hooks';
import { Icon } from './icons';

interface Props {
  types: string[];
  disabled: boolean;
  attach: (files: Iterable<File>) => void;
}

export function AttachButton({ types, disabled, attach }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const chosen = (event: Event & { currentTarget: HTMLInputElement }) => {
    attach([...(event.currentTarget.files ?? [])]);
    event.currentTarget.value = ''; // So that the same file can be chosen again.
  };
  return (
    <>
      <input ref={input} type="file" multiple hidden accept={types.join(',')} onChange={chosen} />
      <button
        type="button" class="quiet square attach" aria-label="Attach files" title="Attach files" disabled={disabled}
        onClick={() => input.current?.click()}
      >
        <Icon name="clip" />
      </button>
    </>
  );
}
