import { useEffect, useState } from 'preact/hooks';

/** Whether a media query matches; redraws the component when that changes. */
export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const changed = () => setMatches(list.matches);
    changed();
    list.addEventListener('change', changed);
    return () => list.removeEventListener('change', changed);
  }, [query]);
  return matches;
}

/** Up to this width the sessions are a drawer over the messages. */
export const narrow = '(max-width: 820px)';
/** Up to this width the requests are a drawer over the messages. */
export const medium = '(max-width: 1180px)';
