import { useEffect, useState } from 'preact/hooks';
import type { Failure } from './failure';

export interface NoticeAction {
  label: string;
  act: () => void;
}

/** A failure in words, with what can be done about it. */
export function Notice({ failure, actions }: { failure: Failure; actions: NoticeAction[] }) {
  return (
    <div class="notice">
      <div role="alert">
        <p class="notice-title">{failure.title}</p>
        <p>{failure.detail}</p>
      </div>
      {failure.until !== undefined && <Countdown until={failure.until} />}
      {actions.length > 0 && (
        <p class="notice-actions">
          {actions.map(({ label, act }) => <button key={label} type="button" class="plain" onClick={act}>{label}</button>)}
        </p>
      )}
    </div>
  );
}

/** Only for the eye: the alert has told the time once. */
function Countdown({ until }: { until: number }) {
  const left = () => Math.max(0, Math.ceil((until - Date.now()) / 1000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    const timer = setInterval(() => setSeconds(left()), 250);
    return () => clearInterval(timer);
  }, [until]);
  const words = seconds > 0 ? `${seconds} s to wait` : 'You can go on now.';
  return <p class="countdown" aria-hidden="true">{words}</p>;
}
