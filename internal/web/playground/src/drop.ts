import { useState } from 'preact/hooks';

/** Takes files that are dropped on an element, which gets the handlers. */
export function useDrop(enabled: boolean, take: (files: File[]) => void) {
  const [over, setOver] = useState(false);
  const hasFiles = (event: DragEvent) => enabled && (event.dataTransfer?.types.includes('Files') ?? false);
  const handlers = {
    onDragOver: (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: (event: DragEvent) => {
      const inside = event.currentTarget instanceof Node && event.currentTarget.contains(event.relatedTarget as Node | null);
      if (!inside) setOver(false);
    },
    onDrop: (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(false);
      take([...(event.dataTransfer?.files ?? [])]);
    },
  };
  return { over, handlers };
}
