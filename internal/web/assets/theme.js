'use strict';

// The colour theme of this server's pages: the system's, unless the user chose
// another. It runs before the page is drawn, so that no page flashes.
window.theme = (() => {
  const key = 'chatkit.theme';
  const system = matchMedia('(prefers-color-scheme: dark)');

  function chosen() {
    const kept = localStorage.getItem(key);
    return kept === 'light' || kept === 'dark' ? kept : 'system';
  }

  function apply() {
    const theme = chosen();
    const root = document.documentElement;
    if (theme === 'system') delete root.dataset.theme;
    else root.dataset.theme = theme;
    // Swagger UI's class for its dark theme.
    root.classList.toggle('dark-mode', theme === 'dark' || (theme === 'system' && system.matches));
  }

  function choose(theme) {
    if (theme === 'system') localStorage.removeItem(key);
    else localStorage.setItem(key, theme);
    apply();
  }

  system.addEventListener('change', apply);
  window.addEventListener('storage', apply);
  apply();
  return { chosen, choose };
})();
