import { useEffect, useState } from 'preact/hooks';
import type { Failure } from './failure';

export interface FailureAction {
  label: string;
  act: () => void;
}

/** Shows a failure and the actions that help. */
export function FailureBox({ failure, actions }: { failure: Failure; actions: FailureAction[] }) {
  return (
    <div class="failure-box">
      <div role="alert">
        <p class="failure-title">{failure.title}</p>
        <p>{failure.detail}</p>
      </div>
      {failure.retryAt !== undefined && <Countdown retryAt={failure.retryAt} />}
      {actions.length > 0 && (
        <p class="failure-actions">
          {actions.map(({ label, act }) => <button key={label} type="button" class="plain" onClick={act}>{label}</button>)}
        </p>
      )}
    </div>
  );
}

/** Hidden from screen readers: the alert states the time once. */
function Countdown({ retryAt }: { retryAt: number }) {
  const left = () => Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    const timer = setInterval(() => setSeconds(left()), 250);
    return () => clearInterval(timer);
  }, [retryAt]);
  const words = seconds > 0 ? `Try again in ${seconds} s.` : 'You can try again now.';
  return <p class="countdown" aria-hidden="true">{words}</p>;
}
