import { useEffect, useRef, useState } from 'preact/hooks';
import { setRegion } from './announce';
import { Composer } from './composer';
import type { Controller } from './controller';
import { TokenDialog } from './dialogs';
import { useDrop } from './file-drop';
import { medium, narrow, useMedia } from './media';
import { Icon } from './icons';
import { Requests } from './requests';
import { Sidebar } from './sidebar';
import { useStore } from './state';
import { Messages } from './messages';

type Drawer = 'menu' | 'requests' | undefined;

export function App({ controller }: { controller: Controller }) {
  const state = useStore(controller.store);
  const isNarrow = useMedia(narrow);
  const isMedium = useMedia(medium);
  // The drawer over the messages on a small screen; only one is open at a time.
  const [drawer, setDrawer] = useState<Drawer>();
  const [beside, setBeside] = useState(true);
  const opener = useRef<HTMLElement | null>(null);
  const menu = useRef<HTMLElement>(null);
  const panel = useRef<HTMLElement>(null);
  const menuOver = isNarrow && drawer === 'menu';
  const panelOver = isMedium && drawer === 'requests';
  const panelShown = isMedium ? panelOver : beside;

  const drop = useDrop(state.capabilities.files !== undefined && state.token !== '', (files) => controller.uploader.add(files));

  const openDrawer = (which: Drawer) => {
    opener.current = document.activeElement as HTMLElement | null;
    setDrawer(which);
  };
  const closeDrawer = () => setDrawer(undefined);
  useEffect(() => {
    const over = menuOver ? menu.current : panelOver ? panel.current : null;
    if (!over) return;
    over.querySelector<HTMLElement>('.close-drawer')?.focus();
    // On the document, since the focus may be outside of the drawer.
    const escape = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !document.querySelector('dialog[open]')) closeDrawer();
    };
    document.addEventListener('keydown', escape);
    return () => {
      document.removeEventListener('keydown', escape);
      opener.current?.focus();
    };
  }, [menuOver, panelOver]);

  const session = state.sessions.find(({ id }) => id === state.open);
  const title = state.open ? session?.title ?? 'Untitled session' : 'New session';
  useEffect(() => { document.title = `${title} · ChatKit REST`; }, [title]);

  return (
    <div class="app">
      <button type="button" class="skip" onClick={() => document.getElementById('message')?.focus()}>Skip to the message</button>
      <nav ref={menu} id="menu" class={menuOver ? 'menu over' : 'menu'} aria-label="Sessions" inert={panelOver}>
        {isNarrow && <button type="button" class="quiet square close-drawer" aria-label="Close the sessions" onClick={closeDrawer}><Icon name="close" /></button>}
        <Sidebar controller={controller} state={state} onChoice={() => setDrawer(undefined)} />
      </nav>
      <main inert={menuOver || panelOver} {...drop.handlers}>
        <header>
          {isNarrow && (
            <button
              type="button" class="quiet square" aria-label="Sessions" aria-expanded={menuOver} aria-controls="menu"
              onClick={() => openDrawer('menu')}
            >
              <Icon name="menu" />
            </button>
          )}
          <h1>{title}</h1>
          <button
            type="button" class="quiet requests-switch" aria-expanded={panelShown} aria-controls="requests"
            onClick={() => (isMedium ? openDrawer('requests') : setBeside(!beside))}
          >
            <Icon name="code" /><span>Requests</span>
          </button>
        </header>
        <Messages controller={controller} state={state} />
        <Composer controller={controller} state={state} />
        {drop.over && <p class="drop-here" aria-hidden="true">Drop the files here</p>}
      </main>
      <aside
        ref={panel} id="requests" class={panelOver ? 'panel over' : 'panel'} hidden={!panelShown} aria-label="Requests"
      >
        <div class="panel-head">
          <h2>Requests</h2>
          {isMedium && <button type="button" class="quiet square close-drawer" aria-label="Close the requests" onClick={closeDrawer}><Icon name="close" /></button>}
        </div>
        <Requests entries={state.entries} />
      </aside>
      {(menuOver || panelOver) && <div class="backdrop" onClick={closeDrawer} />}
      <div ref={setRegion} class="visually-hidden" id="announcements" role="log" aria-live="polite" aria-label="Announcements" />
      {state.tokenDialog && <TokenDialog controller={controller} token={state.token} />}
    </div>
  );
}
