import { useState } from 'preact/hooks';
import { announce } from './announce';
import { Icon } from './icons';

const themes = ['system', 'light', 'dark'] as const;
const icons = { system: 'auto', light: 'sun', dark: 'moon' } as const;
type Theme = (typeof themes)[number];

declare global {
  interface Window {
    /** Set by /theme.js, which every page loads before it is drawn. */
    theme: { chosen(): Theme; choose(theme: Theme): void };
  }
}

/** A button that changes to the next theme. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(() => window.theme.chosen());
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system';
  const change = () => {
    window.theme.choose(next);
    setTheme(next);
    announce(`Colours: ${next}`);
  };
  const label = `Colours: ${theme}. Change to ${next}`;
  return (
    <button type="button" class="quiet square" onClick={change} aria-label={label} title={label}>
      <Icon name={icons[theme]} />
    </button>
  );
}
