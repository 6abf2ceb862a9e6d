import { useEffect, useRef, useState } from 'preact/hooks';
import { setRegion } from './announce';
import { Composer } from './composer';
import type { Desk } from './desk';
import { TokenDialog } from './dialogs';
import { useDrop } from './drop';
import { medium, narrow, useMedia } from './hooks';
import { Icon } from './icons';
import { Requests } from './requests';
import { Sidebar } from './sidebar';
import { useStore } from './state';
import { Messages } from './thread';

type Drawer = 'menu' | 'requests' | undefined;

export function App({ desk }: { desk: Desk }) {
  const state = useStore(desk.store);
  const isNarrow = useMedia(narrow);
  const isMedium = useMedia(medium);
  // What lies over the messages on a small screen; one thing at a time.
  const [drawer, setDrawer] = useState<Drawer>();
  const [beside, setBeside] = useState(true);
  const opener = useRef<HTMLElement | null>(null);
  const menu = useRef<HTMLElement>(null);
  const panel = useRef<HTMLElement>(null);
  const menuOver = isNarrow && drawer === 'menu';
  const panelOver = isMedium && drawer === 'requests';
  const panelShown = isMedium ? panelOver : beside;

  const drop = useDrop(state.offer.files !== undefined && state.token !== '', (files) => desk.files.add(files));

  const pull = (which: Drawer) => {
    opener.current = document.activeElement as HTMLElement | null;
    setDrawer(which);
  };
  const shut = () => setDrawer(undefined);
  useEffect(() => {
    const over = menuOver ? menu.current : panelOver ? panel.current : null;
    if (!over) return;
    over.querySelector<HTMLElement>('.shut')?.focus();
    // Not on the drawer alone: the focus may have gone before it came.
    const escape = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !document.querySelector('dialog[open]')) shut();
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
        {isNarrow && <button type="button" class="quiet square shut" aria-label="Close the sessions" onClick={shut}><Icon name="close" /></button>}
        <Sidebar desk={desk} state={state} onChoice={() => setDrawer(undefined)} />
      </nav>
      <main inert={menuOver || panelOver} {...drop.handlers}>
        <header>
          {isNarrow && (
            <button
              type="button" class="quiet square" aria-label="Sessions" aria-expanded={menuOver} aria-controls="menu"
              onClick={() => pull('menu')}
            >
              <Icon name="menu" />
            </button>
          )}
          <h1>{title}</h1>
          <button
            type="button" class="quiet requests-switch" aria-expanded={panelShown} aria-controls="requests"
            onClick={() => (isMedium ? pull('requests') : setBeside(!beside))}
          >
            <Icon name="code" /><span>Requests</span>
          </button>
        </header>
        <Messages desk={desk} state={state} />
        <Composer desk={desk} state={state} />
        {drop.over && <p class="drop-here" aria-hidden="true">Drop the files here</p>}
      </main>
      <aside
        ref={panel} id="requests" class={panelOver ? 'panel over' : 'panel'} hidden={!panelShown} aria-label="Requests"
      >
        <div class="panel-head">
          <h2>Requests</h2>
          {isMedium && <button type="button" class="quiet square shut" aria-label="Close the requests" onClick={shut}><Icon name="close" /></button>}
        </div>
        <Requests entries={state.entries} />
      </aside>
      {(menuOver || panelOver) && <div class="veil" onClick={shut} />}
      <div ref={setRegion} class="visually-hidden" id="announcements" role="log" aria-live="polite" aria-label="What happens" />
      {state.tokenDialog && <TokenDialog desk={desk} token={state.token} />}
    </div>
  );
}
