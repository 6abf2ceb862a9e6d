// Inline paths on a grid of 20, so that no icons are fetched.
const shapes = {
  menu: 'M3 5.5h14M3 10h14M3 14.5h9',
  plus: 'M10 4v12M4 10h12',
  trash: 'M4 6h12M8 6V4h4v2M6 6l.7 10h6.6L14 6',
  clip: 'M14.5 7v6a4.5 4.5 0 0 1-9 0V5.75a3 3 0 0 1 6 0v6.75a1.5 1.5 0 0 1-3 0V7',
  file: 'M5 2.5h6.5L15 6v11.5H5zM11.5 2.5V6H15',
  close: 'M5 5l10 10M15 5L5 15',
  send: 'M10 16V4M5 9l5-5 5 5',
  code: 'M7 6l-4 4 4 4M13 6l4 4-4 4',
  sun: 'M10 3V1.5M10 18.5V17M3 10H1.5M18.5 10H17M5 5L4 4M16 16l-1-1M5 15l-1 1M16 4l-1 1M13.5 10a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0z',
  moon: 'M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3z',
  auto: 'M10 2.5a7.5 7.5 0 1 0 0 15zM10 2.5a7.5 7.5 0 0 1 0 15',
  key: 'M12.5 11.5a4 4 0 1 0-3.6-2.3L3 15v2h3v-2h2v-2l1.2-1.2',
} as const;

export function Icon({ name }: { name: keyof typeof shapes }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <path d={shapes[name]} />
    </svg>
  );
}

export function StopIcon() {
  return (
    <svg class="icon solid" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <rect x="5.5" y="5.5" width="9" height="9" rx="1.5" />
    </svg>
  );
}
